#include "registry/git/commit_source.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/unit/support/git/git_fixture.hpp"

using namespace nimbus;
using namespace nimbus::registry;
using nimbus::test::commit_files;
using nimbus::test::git;
using nimbus::test::make_bare;
using nimbus::test::TempFolder;

TEST_CASE("the files of a commit as a tree source") {
  const TempFolder temp;
  make_bare(temp / "r");
  commit_files(temp / "r", "main", {{"registry.toml", "format = 1\n"}, {"a/x", "1"}, {"a.toml", "2"}, {"a-b", "3"}});
  git(temp / "r", {"fast-import", "--quiet"},
      "commit refs/heads/main\ncommitter T <t@t> 1700000000 +0000\ndata 0\nfrom refs/heads/main^0\n"
      "M 120000 inline link\ndata 4\na-b\n\nM 100755 inline run\ndata 2\n#!\n"
      "M 160000 0123456789012345678901234567890123456789 module\n"
      "M 100644 inline large\ndata " +
          std::to_string(TreeSource::kMaxFile + 1) + "\n" + std::string(TreeSource::kMaxFile + 1, 'x') + "\n");
  const auto repository = GitRepository::open(temp / "r");
  REQUIRE(repository);
  const CommitSource source(*repository, git(temp / "r", {"rev-parse", "main"}));
  const auto entries = source.list();
  REQUIRE(entries);
  std::string text;
  for (const auto& entry : *entries) text += entry.path + " " + std::to_string(static_cast<int>(entry.kind)) + "\n";
  CHECK(text == "a-b 0\na.toml 0\na/x 0\nlarge 0\nlink 2\nmodule 3\nregistry.toml 0\nrun 1\n");
  CHECK(std::ranges::is_sorted(*entries, {}, &TreeEntry::path));
  for (const auto& entry : *entries) {
    const auto bytes = source.read(entry);
    if (entry.path == "registry.toml") {
      REQUIRE(bytes);
      CHECK(*bytes == "format = 1\n");
      CHECK(entry.blob == git(temp / "r", {"rev-parse", "main:registry.toml"}));
    } else if (entry.path == "large" || entry.blob.empty()) {
      REQUIRE(!bytes);
      CHECK(bytes.error().code == Code::Invalid);
    } else {
      CHECK(bytes.has_value());
    }
  }
  const CommitSource none(*repository, "0123456789012345678901234567890123456789");
  REQUIRE(!none.list());
  CHECK(none.list().error().code == Code::NotFound);
}
