#include "registry/git/repository.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/unit/support/git/git_fixture.hpp"

using namespace nimbus;
using namespace nimbus::registry;
using nimbus::test::commit_files;
using nimbus::test::git;
using nimbus::test::make_bare;
using nimbus::test::TempFolder;

namespace {

GitRepository opened(const std::string& path) {
  auto repository = GitRepository::open(path);
  REQUIRE_MESSAGE(repository.has_value(), repository.error().text());
  return std::move(*repository);
}

/// A tree of `depth` levels; each names the level below `width` times.
std::string tree_bomb(const std::string& bare, int depth, int width) {
  std::string id = git(bare, {"hash-object", "-w", "--stdin"}, "x");
  std::string kind = "100644 blob ";
  for (int level = 0; level < depth; ++level) {
    std::string lines;
    for (int i = 0; i < width; ++i) lines += kind + id + "\tn" + std::to_string(i) + "\n";
    id = git(bare, {"mktree"}, lines);
    kind = "040000 tree ";
  }
  return git(bare, {"commit-tree", "-m", "bomb", id});
}

}  // namespace

TEST_CASE("a repository is made bare, private and once") {
  const TempFolder temp;
  auto missing = GitRepository::open(temp / "mirror");
  REQUIRE(!missing);
  CHECK(missing.error().code == Code::NotFound);
  REQUIRE(GitRepository::open_or_create(temp / "a/mirror"));
  REQUIRE(GitRepository::open_or_create(temp / "a/mirror"));
  CHECK(git(temp / "a/mirror", {"rev-parse", "--is-bare-repository"}) == "true");
  CHECK((std::filesystem::status(temp / "a/mirror").permissions() & std::filesystem::perms::others_all) ==
        std::filesystem::perms::none);
  std::filesystem::create_directories(temp / "a/mirror/below");
  CHECK(!GitRepository::open(temp / "a/mirror/below"));  // no search upwards
}

TEST_CASE("references: resolve, compare-and-swap, delete") {
  const TempFolder temp;
  make_bare(temp / "r");
  const auto first = commit_files(temp / "r", "main", {{"a", "1"}});
  const auto second = commit_files(temp / "r", "main", {{"a", "2"}});
  auto repository = opened(temp / "r");
  CHECK(*repository.resolve("refs/heads/main") == second);
  CHECK(*repository.resolve("refs/heads/none") == std::nullopt);
  git(temp / "r", {"tag", "-a", "-m", "tag", "v1", first});
  CHECK(*repository.resolve("refs/tags/v1") == first);

  const auto code = [](const Result<>& result) { return result ? Code::Internal : result.error().code; };
  CHECK(repository.move_reference("refs/nimbus/x", first, std::nullopt));
  CHECK(code(repository.move_reference("refs/nimbus/x", second, std::nullopt)) == Code::Conflict);
  CHECK(code(repository.move_reference("refs/nimbus/x", second, second)) == Code::Conflict);
  CHECK(code(repository.move_reference("refs/nimbus/gone", second, first)) == Code::Conflict);
  CHECK(repository.move_reference("refs/nimbus/x", second, first));
  CHECK(git(temp / "r", {"rev-parse", "refs/nimbus/x"}) == second);
  CHECK(code(repository.move_reference("refs/nimbus/x", "no id", second)) == Code::Invalid);
  CHECK(code(repository.move_reference("refs/../x", first, std::nullopt)) == Code::Invalid);
  CHECK(repository.delete_reference("refs/nimbus/x"));
  CHECK(repository.delete_reference("refs/nimbus/x"));
  CHECK(*repository.resolve("refs/nimbus/x") == std::nullopt);
}

TEST_CASE("commits and ancestry") {
  const TempFolder temp;
  make_bare(temp / "r");
  const auto first = commit_files(temp / "r", "main", {{"a", "1"}}, "First\n\nNimbus-Term: 3\n");
  const auto second = commit_files(temp / "r", "main", {{"a", "2"}});
  const auto other = commit_files(temp / "r", "other", {{"a", "1"}});
  const auto repository = opened(temp / "r");
  const auto commit = repository.commit(second);
  REQUIRE(commit);
  CHECK(commit->parents == std::vector<ObjectId>{first});
  CHECK(commit->author.name == "Test");
  CHECK(commit->author.email == "test@test.example");
  CHECK(commit->author.when == WallTime{std::chrono::seconds{1700000000}});
  CHECK(commit->message == "Change");
  CHECK(commit->tree == git(temp / "r", {"rev-parse", "main^{tree}"}));
  CHECK(*repository.count_commits(second, 10) == 2);
  CHECK(*repository.count_commits(second, 1) == 1);
  CHECK(*repository.count_commits(first, 10) == 1);
  CHECK(!repository.count_commits("0123456789012345678901234567890123456789", 10));
  CHECK(*repository.is_ancestor(first, second));
  CHECK(*repository.is_ancestor(first, first));
  CHECK(!*repository.is_ancestor(second, first));
  CHECK(!*repository.is_ancestor(other, second));
  const auto missing = repository.commit("0123456789012345678901234567890123456789");
  REQUIRE(!missing);
  CHECK(missing.error().code == Code::NotFound);
  const auto tree = repository.commit(commit->tree);
  REQUIRE(!tree);
  CHECK(tree.error().code == Code::Corrupt);
}

TEST_CASE("a commit is found by the first digits of its id") {
  const TempFolder temp;
  make_bare(temp / "r");
  const auto first = commit_files(temp / "r", "main", {{"a", "1"}});
  std::vector<ObjectId> ids{first};
  // Enough commits for two to share four digits is many; two that share one digit are soon there.
  for (int i = 0; i < 20; ++i) ids.push_back(commit_files(temp / "r", "main", {{"a", std::to_string(i)}}));
  const auto repository = opened(temp / "r");
  for (const auto& id : ids) {
    for (const std::size_t length : {std::size_t{7}, std::size_t{12}, id.size()}) {
      const auto found = repository.find_commit(id.substr(0, length));
      REQUIRE(found.has_value());
      CHECK(*found == id);
    }
  }
  CHECK(*repository.find_commit(first.substr(0, 3)) == std::nullopt);
  CHECK(*repository.find_commit("") == std::nullopt);
  CHECK(*repository.find_commit("xyz01") == std::nullopt);
  CHECK(*repository.find_commit(first + "0") == std::nullopt);
  CHECK(*repository.find_commit("0123456789") == std::nullopt);
  const auto tree = repository.commit(first)->tree;
  CHECK(*repository.find_commit(tree.substr(0, 12)) == std::nullopt);  // no commit
}

TEST_CASE("listing, finding and reading files, as git itself shows them") {
  const TempFolder temp;
  make_bare(temp / "r");
  const auto id = commit_files(temp / "r", "main",
                               {{"registry.toml", "format = 1\n"},
                                {"a/b/c.toml", "c"},
                                {"a-b/x", "x"},
                                {"a.toml", "a"},
                                {"bytes", std::string("\0\xff\n", 3)}});
  const auto repository = opened(temp / "r");
  const auto items = repository.list(id);
  REQUIRE(items);
  std::string text;
  for (const auto& item : *items) text += "100644 blob " + item.id + "\t" + item.path + "\n";
  CHECK(text == git(temp / "r", {"ls-tree", "-r", id}) + "\n");
  const auto found = repository.find(id, "a/b/c.toml");
  REQUIRE(found);
  REQUIRE(found->has_value());
  CHECK(*repository.read_blob((*found)->id, 10) == "c");
  CHECK(*repository.blob_size((*found)->id) == 1);
  for (const char* path : {"a/b", "a/b/c.toml/d", "none", "", "a//b/c.toml", "/a"}) {
    const auto none = repository.find(id, path);
    REQUIRE(none);
    CHECK_MESSAGE(!none->has_value(), path);
  }
  const auto bytes = repository.find(id, "bytes");
  CHECK(*repository.read_blob((*bytes)->id, 3) == std::string("\0\xff\n", 3));
  const auto large = repository.read_blob((*bytes)->id, 2);
  REQUIRE(!large);
  CHECK(large.error().code == Code::Invalid);
}

TEST_CASE("diff agrees with git diff-tree") {
  const TempFolder temp;
  make_bare(temp / "r");
  const auto first = commit_files(temp / "r", "main",
                                  {{"same/x", "1"}, {"a/x", "1"}, {"a/y", "1"}, {"kind", "file"}, {"tree/leaf", "1"}});
  git(temp / "r", {"update-ref", "refs/heads/next", first});
  git(temp / "r", {"fast-import", "--quiet"},
      "commit refs/heads/next\ncommitter T <t@t> 1700000000 +0000\ndata 1\nx\nfrom refs/heads/next^0\n"
      "D a/x\nM 100644 inline a/y\ndata 1\n2\nM 100755 inline same/x\ndata 1\n1\n"
      "D kind\nM 100644 inline kind/inner\ndata 1\n1\nD tree\nM 100644 inline tree\ndata 1\n1\n"
      "M 100644 inline a-x/new\ndata 1\n1\n");
  const auto second = git(temp / "r", {"rev-parse", "refs/heads/next"});
  const auto repository = opened(temp / "r");
  const auto names = [](const std::vector<PathChange>& changes) {
    std::string out;
    for (const auto& change : changes) {
      out += std::string(change.before ? (change.after ? "M" : "D") : "A") + "\t" + change.path + "\n";
    }
    return out;
  };
  const auto theirs = [&](const std::string& from, const std::string& to) {
    return git(temp / "r", {"diff-tree", "-r", "--no-renames", "--name-status", from, to}) + "\n";
  };
  // git prints in its own order; ours is by plain path, so both are compared sorted.
  const auto sorted = [](const std::string& text) {
    std::vector<std::string> lines;
    std::string line;
    for (const char c : text) {
      if (c == '\n')
        lines.push_back(std::exchange(line, ""));
      else
        line += c;
    }
    std::ranges::sort(lines);
    return lines;
  };
  for (const auto& [from, to] : {std::pair(first, second), std::pair(second, first), std::pair(first, first)}) {
    const auto changes = repository.diff(from, to);
    REQUIRE(changes);
    auto expected = sorted(theirs(from, to));
    std::erase(expected, "");
    CHECK(sorted(names(*changes)) == expected);
    CHECK(std::ranges::is_sorted(*changes, {}, &PathChange::path));
  }
  const auto all = repository.diff(std::nullopt, second);
  REQUIRE(all);
  CHECK(all->size() == repository.list(second)->size());
}

TEST_CASE("a small commit that describes a billion files is refused, not walked") {
  const TempFolder temp;
  make_bare(temp / "r");
  const auto good = commit_files(temp / "r", "main", {{"a", "1"}});
  const auto bomb = tree_bomb(temp / "r", 9, 10);
  const auto deep = tree_bomb(temp / "r", 40, 1);
  const auto repository = opened(temp / "r");
  const auto begin = std::chrono::steady_clock::now();
  for (const auto& commit : {bomb, deep}) {
    const auto list = repository.list(commit);
    REQUIRE(!list);
    CHECK(list.error().code == Code::Invalid);
    const auto diff = repository.diff(good, commit);
    REQUIRE(!diff);
    CHECK(diff.error().code == Code::Invalid);
  }
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));
}

TEST_CASE("objects that a child program brings are seen without reopening") {
  const TempFolder temp;
  make_bare(temp / "r");
  commit_files(temp / "r", "main", {{"a", "1"}});
  const auto repository = opened(temp / "r");
  REQUIRE(repository.list(*(*repository.resolve("refs/heads/main"))));
  const auto second = commit_files(temp / "r", "main", {{"a", "2"}, {"b", "2"}});
  CHECK(*repository.resolve("refs/heads/main") == second);
  CHECK(repository.list(second)->size() == 2);
}

TEST_CASE("damaged objects are an error") {
  const TempFolder temp;
  make_bare(temp / "r");
  const auto blob = git(temp / "r", {"hash-object", "-w", "--stdin"}, "text");
  const auto path = temp / ("r/objects/" + blob.substr(0, 2) + "/" + blob.substr(2));
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  std::ofstream(path, std::ios::trunc) << "garbage";
  const auto repository = opened(temp / "r");
  CHECK(!repository.read_blob(blob, 100));
  CHECK(!repository.blob_size(blob));
}

TEST_CASE("stale locks") {
  const TempFolder temp;
  make_bare(temp / "r");
  const auto first = commit_files(temp / "r", "main", {{"a", "1"}});
  auto repository = opened(temp / "r");
  std::filesystem::create_directories(temp / "r/refs/nimbus");
  std::ofstream(temp / "r/refs/nimbus/x.lock") << "";
  std::ofstream(temp / "r/packed-refs.lock") << "";
  const auto held = repository.move_reference("refs/nimbus/x", first, std::nullopt);
  REQUIRE(!held);
  CHECK(held.error().code == Code::Busy);
  REQUIRE(repository.remove_stale_locks());
  CHECK(repository.move_reference("refs/nimbus/x", first, std::nullopt));
  CHECK(!std::filesystem::exists(temp / "r/packed-refs.lock"));
}
