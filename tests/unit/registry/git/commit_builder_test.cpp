#include "registry/git/commit_builder.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <random>
#include <thread>

#include "base/process/process.hpp"
#include "tests/unit/support/git/git_fixture.hpp"

using namespace nimbus;
using namespace nimbus::registry;
using nimbus::test::git;
using nimbus::test::make_bare;
using nimbus::test::TempFolder;

namespace {

constexpr WallTime kWhen{std::chrono::seconds{1'795'428'000}};
const GitPerson kController{"nimbusd berlin-1", "nimbusd@berlin-1.example", kWhen};

GitRepository opened(const std::string& path) {
  auto repository = GitRepository::open_or_create(path);
  REQUIRE_MESSAGE(repository.has_value(), repository.error().text());
  return std::move(*repository);
}

NewCommit on(const std::optional<ObjectId>& base, FileChanges changes) {
  NewCommit commit{.base = base,
                   .changes = std::move(changes),
                   .author = kController,
                   .committer = kController,
                   .message = "m017: power-on\n"};
  if (base) commit.parents = {*base};
  return commit;
}

ObjectId built(const GitRepository& repository, const NewCommit& commit) {
  auto id = write_commit(repository, commit);
  REQUIRE_MESSAGE(id.has_value(), id.error().text());
  REQUIRE(id->has_value());
  return **id;
}

std::size_t files_in(const std::string& folder, const std::string& extension) {
  std::size_t n = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.path().extension() == extension) ++n;
  }
  return n;
}

class FixedSigner final : public CommitSigner {
 public:
  Result<std::string> sign(std::string_view commit) override {
    seen = commit;
    return std::string("-----BEGIN SSH SIGNATURE-----\nAAAA\nBBBB\n-----END SSH SIGNATURE-----\n");
  }
  std::string seen;
};

}  // namespace

TEST_CASE("a commit from nothing, one on top, as git sees them") {
  const TempFolder temp;
  auto repository = opened(temp / "r");
  const auto first =
      built(repository, on({}, {{"status.toml", "format = 1\n"}, {"providers/p/machines/m1.toml", "a"}}));
  REQUIRE(repository.move_reference("refs/heads/s", first, std::nullopt));
  CHECK(git(temp / "r", {"fsck", "--strict", "--no-dangling"}).empty());
  CHECK(git(temp / "r", {"show", "s:status.toml"}) == "format = 1");
  CHECK(git(temp / "r", {"log", "--format=%an|%ae|%at|%cn|%s|%P", "s"}) ==
        "nimbusd berlin-1|nimbusd@berlin-1.example|1795428000|nimbusd berlin-1|m017: power-on|");
  CHECK(files_in(temp / "r/objects", ".pack") == 1);
  CHECK(git(temp / "r", {"count-objects"}) == "0 objects, 0 kilobytes");  // nothing loose

  const auto second = built(repository, on(first, {{"providers/p/machines/m2.toml", "b"}}));
  REQUIRE(repository.move_reference("refs/heads/s", second, first));
  CHECK(git(temp / "r", {"fsck", "--strict", "--no-dangling"}).empty());
  CHECK(git(temp / "r", {"rev-parse", "s^"}) == first);
  CHECK(git(temp / "r", {"diff-tree", "-r", "--name-status", first, second}) == "A\tproviders/p/machines/m2.toml");
  // Only what is new: blob, four trees, commit.
  CHECK(git(temp / "r", {"rev-list", "--objects", "--count", "s", "^" + first}) == "6");
  std::string packs = git(temp / "r", {"count-objects", "-v"});
  CHECK(packs.find("in-pack: 13\n") != std::string::npos);
}

TEST_CASE("the same files again: no commit; the same bytes again: the same id") {
  const TempFolder temp;
  const auto repository = opened(temp / "r");
  const auto first = built(repository, on({}, {{"a", "1"}, {"d/b", "2"}}));
  for (const FileChanges& same : {FileChanges{}, FileChanges{{"a", "1"}}, FileChanges{{"none", std::nullopt}},
                                  FileChanges{{"d/none", std::nullopt}, {"e/f/none", std::nullopt}}}) {
    const auto again = write_commit(repository, on(first, same));
    REQUIRE(again);
    CHECK(!again->has_value());
  }
  CHECK(built(repository, on({}, {{"a", "1"}, {"d/b", "2"}})) == first);
  CHECK(git(temp / "r", {"fsck", "--strict", "--no-dangling"}).empty());
}

TEST_CASE("removing files removes empty folders; files and folders replace each other") {
  const TempFolder temp;
  const auto repository = opened(temp / "r");
  const auto names = [&](const ObjectId& id) { return git(temp / "r", {"ls-tree", "-r", "--name-only", id}); };
  const auto first = built(repository, on({}, {{"a/b/c", "1"}, {"a/x", "1"}, {"z", "1"}, {"a-b", "1"}, {"a.b", "1"}}));
  CHECK(names(first) == "a-b\na.b\na/b/c\na/x\nz");
  const auto second = built(repository, on(first, {{"a/b/c", std::nullopt}}));
  CHECK(names(second) == "a-b\na.b\na/x\nz");
  const auto third = built(repository, on(second, {{"a", "file now"}, {"z/inner", "folder now"}}));
  CHECK(names(third) == "a\na-b\na.b\nz/inner");
  const auto fourth = write_commit(repository, on(third, {{"z", std::nullopt}}));  // a folder is not a file
  REQUIRE(fourth);
  CHECK(!fourth->has_value());
  CHECK(git(temp / "r", {"fsck", "--strict", "--no-dangling"}).empty());
}

TEST_CASE("an empty tree is a commit too") {
  const TempFolder temp;
  const auto repository = opened(temp / "r");
  const auto first = built(repository, on({}, {{"a", "1"}}));
  const auto second = built(repository, on(first, {{"a", std::nullopt}}));
  CHECK(git(temp / "r", {"rev-parse", second + "^{tree}"}) == "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
  CHECK(git(temp / "r", {"ls-tree", "-r", second}).empty());
}

TEST_CASE("paths that must not be") {
  const TempFolder temp;
  const auto repository = opened(temp / "r");
  std::string deep = "a";
  for (int i = 0; i < 16; ++i) deep += "/a";
  for (const auto& path :
       {std::string(""), std::string("/a"), std::string("a/"), std::string("a//b"), std::string("../a"),
        std::string("a/./b"), std::string(".git/config"), std::string("a/.GIT/x"), std::string("a\nb"),
        std::string("a\0b", 3), std::string("a\\b"), std::string("\xff"), std::string(300, 'x'), deep}) {
    const auto result = write_commit(repository, on({}, {{path, "1"}}));
    CHECK_MESSAGE(!result.has_value(), path);
    if (!result) CHECK(result.error().code == Code::Invalid);
  }
  auto commit = on({}, {{"a", "1"}});
  commit.author.name = "x <y>";
  CHECK(!write_commit(repository, commit));
  CHECK(!write_commit(repository, on("0123456789012345678901234567890123456789", {{"a", "1"}})));
}

TEST_CASE("random changes: our trees are byte for byte those of git fast-import") {
  const TempFolder temp;
  const auto repository = opened(temp / "r");
  std::mt19937 random(17);
  std::optional<ObjectId> ours;
  for (int round = 0; round < 30; ++round) {
    FileChanges changes;
    std::string stream = "commit refs/heads/theirs\ncommitter T <t@t> 1 +0000\ndata 0\n";
    if (round > 0) stream += "from refs/heads/theirs^0\n";
    for (int i = 0; i < 12; ++i) {
      std::string path = "f" + std::to_string(random() % 4);
      if (random() % 2 == 0) path += (random() % 2 == 0 ? "-x/" : ".y/") + std::to_string(random() % 3);
      if (random() % 3 == 0) path += "q/" + std::to_string(random() % 2);
      if (!changes.try_emplace(path).second) continue;
      if (random() % 4 == 0) continue;  // removed
      changes[path] = std::to_string(random() % 1000);
    }
    // A path below another one that is a file in the same change has two readings.
    std::erase_if(changes, [&](const auto& change) {
      return changes.contains(change.first.substr(0, change.first.find('/'))) &&
             change.first.find('/') != std::string::npos;
    });
    for (const auto& [path, content] : changes) {
      stream += content
                    ? "M 100644 inline " + path + "\ndata " + std::to_string(content->size()) + "\n" + *content + "\n"
                    : "";
    }
    for (const auto& [path, content] : changes) {
      if (content) continue;
      const auto kind = round == 0 ? std::string() : git(temp / "r", {"ls-tree", "theirs", path});
      if (kind.find(" blob ") != std::string::npos) stream += "D " + path + "\n";
    }
    git(temp / "r", {"fast-import", "--quiet", "--force"}, stream);
    const auto next = write_commit(repository, on(ours, changes));
    REQUIRE(next);
    if (next->has_value()) ours = **next;
    REQUIRE(ours);
    CHECK(git(temp / "r", {"rev-parse", *ours + "^{tree}"}) == git(temp / "r", {"rev-parse", "theirs^{tree}"}));
  }
  CHECK(git(temp / "r", {"fsck", "--strict", "--no-dangling"}).find("error") == std::string::npos);
}

TEST_CASE("a signature goes into the header, and git finds it there") {
  const TempFolder temp;
  const auto repository = opened(temp / "r");
  FixedSigner signer;
  const auto id = write_commit(repository, on({}, {{"a", "1"}}), &signer);
  REQUIRE(id);
  const auto raw = git(temp / "r", {"cat-file", "commit", **id});
  CHECK(raw.find("\ngpgsig -----BEGIN SSH SIGNATURE-----\n AAAA\n BBBB\n -----END SSH SIGNATURE-----\n\nm017") !=
        std::string::npos);
  CHECK(signer.seen.find("gpgsig") == std::string::npos);
  CHECK(signer.seen.ends_with("\n\nm017: power-on\n"));
  CHECK(git(temp / "r", {"fsck", "--strict", "--no-dangling"}).find("error") == std::string::npos);
}

TEST_CASE("a pack that cannot be written is told") {
  const TempFolder temp;
  const auto repository = opened(temp / "r");
  std::filesystem::remove_all(temp / "r/objects/pack");
  const auto result = write_commit(repository, on({}, {{"a", "1"}}));
  REQUIRE(!result);
  CHECK(result.error().code == Code::Internal);
  CHECK(result.error().text().find(temp / "r") != std::string::npos);
}

TEST_CASE("two threads build on the same repository") {
  const TempFolder temp;
  const auto repository = opened(temp / "r");
  const auto first = built(repository, on({}, {{"a", "1"}}));
  std::vector<std::optional<ObjectId>> ids(4);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      threads.emplace_back([&, i] {
        for (int round = 0; round < 5; ++round) {
          auto id = write_commit(repository, on(first, {{"f" + std::to_string(i), std::to_string(round)}}));
          if (id) ids[i] = *id;
        }
      });
    }
  }
  for (std::size_t i = 0; i < ids.size(); ++i) {
    REQUIRE(ids[i]);
    CHECK(git(temp / "r", {"show", *ids[i] + ":f" + std::to_string(i)}) == "4");
  }
  CHECK(git(temp / "r", {"fsck", "--strict", "--no-dangling"}).find("error") == std::string::npos);
}

TEST_CASE("messages: subject, body and trailers as git interprets them") {
  const TempFolder temp;
  const auto text = commit_message("m017: power-on", "Why it was done.\n",
                                   {{"Nimbus-Term", "7"}, {"Nimbus-Controller", "berlin-1/ctl-1\nNimbus-Term: 9"}});
  CHECK(git(temp.path(), {"interpret-trailers", "--parse"}, text) ==
        "Nimbus-Term: 7\nNimbus-Controller: berlin-1/ctl-1\\nNimbus-Term: 9");
  CHECK(trailers_of(text).at("Nimbus-Term") == "7");
  CHECK(trailers_of("one line only").empty());
  CHECK(trailers_of("subject\n\nbody: text\nmore words\n").contains("body"));
  CHECK(commit_subject("a\nb\x1b[31m") == "a\\nb\\x1b[31m");
  CHECK(commit_subject(" ") == "Status");
  CHECK(commit_message("s", "", {}) == "s\n");
}
