#include "controller/watch/watcher.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include "registry/git/commit_builder.hpp"

using namespace nimbus;
using namespace nimbus::controller;
namespace git = nimbus::registry;

namespace {

/// A forge whose objects are in the mirror already: fetching moves the reference.
class FakeForge final : public git::GitTransport {
 public:
  explicit FakeForge(git::GitRepository& mirror) : mirror_(mirror) {}

  Result<std::map<std::string, git::ObjectId>> list_remote(const git::GitRemote&, const std::vector<std::string>& names,
                                                           const Call&) override {
    if (down) return Error{Code::Unreachable, "down"};
    std::map<std::string, git::ObjectId> found;
    for (const auto& name : names) {
      if (const auto at = branches.find(name); at != branches.end()) found.insert(*at);
    }
    return found;
  }
  Result<> fetch(const git::GitRemote&, const std::vector<git::FetchRef>& refs, const Call&) override {
    fetches += 1;
    if (fetch_fails) return Error{Code::Timeout, "slow"};
    for (const auto& ref : refs) {
      const auto now = mirror_.resolve(ref.local).value();
      REQUIRE(mirror_.move_reference(ref.local, branches.at(ref.remote), now));
    }
    return {};
  }
  Result<> push(const git::GitRemote&, const git::ObjectId&, const std::string&, const std::optional<git::ObjectId>&,
                const Call&) override {
    return Error{Code::Internal, "the watcher never pushes"};
  }

  std::map<std::string, git::ObjectId> branches;
  bool down = false;
  bool fetch_fails = false;
  int fetches = 0;

 private:
  git::GitRepository& mirror_;
};

struct Fixture {
  std::string folder = [] {
    std::string path = (std::filesystem::temp_directory_path() / "nimbus-watch-XXXXXX").string();
    REQUIRE(::mkdtemp(path.data()) != nullptr);
    return path;
  }();
  git::GitRepository mirror = git::GitRepository::open_or_create(folder + "/mirror.git").value();
  FakeForge forge{mirror};
  git::GitRemote remote{.url = "/nowhere"};
  Watcher watcher{mirror, forge, remote, {"refs/heads/main", "refs/heads/nimbus/status/lab"}};
  Call call{MonoTime::max()};

  ~Fixture() { std::filesystem::remove_all(folder); }
  Fixture() = default;
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

  git::ObjectId commit(const std::optional<git::ObjectId>& parent, const std::string& text) {
    git::NewCommit change;
    change.base = parent;
    if (parent) change.parents = {*parent};
    change.changes["file"] = text;
    change.author = change.committer = {.name = "A", .email = "a@lab.example", .when = WallTime{}};
    change.message = text + "\n";
    return git::write_commit(mirror, change).value().value();
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "watcher: a moved branch is fetched once, and only then") {
  const auto first = commit(std::nullopt, "1");
  forge.branches["refs/heads/main"] = first;
  auto look = watcher.look(call);
  REQUIRE(look.has_value());
  CHECK(look->moved);
  CHECK(look->tip == first);
  CHECK(!look->status_tip);
  look = watcher.look(call);
  CHECK(!look->moved);
  CHECK(look->tip == first);
  CHECK(forge.fetches == 1);
  const auto second = commit(first, "2");
  forge.branches["refs/heads/main"] = second;
  forge.branches["refs/heads/nimbus/status/lab"] = first;
  look = watcher.look(call);
  CHECK(look->moved);
  CHECK(look->tip == second);
  CHECK(look->status_tip == first);
}

TEST_CASE_FIXTURE(Fixture, "watcher: rewritten history is held, and what was seen stays") {
  const auto first = commit(std::nullopt, "1");
  forge.branches["refs/heads/main"] = first;
  REQUIRE(watcher.look(call));
  forge.branches["refs/heads/main"] = commit(std::nullopt, "another root");
  for (int i = 0; i < 2; ++i) {
    const auto look = watcher.look(call);
    REQUIRE(look.has_value());
    CHECK(!look->moved);
    CHECK(look->tip == first);
    CHECK(look->held.find("rewritten") != std::string::npos);
  }
  SUBCASE("until a person confirms this very tip") {
    const auto held = watcher.look(call)->held_tip;
    const auto other = commit(std::nullopt, "yet another root");
    REQUIRE(mirror.move_reference(Watcher::kConfirmed, other, std::nullopt));
    CHECK(!watcher.look(call)->moved);
    REQUIRE(mirror.move_reference(Watcher::kConfirmed, held, other));
    const auto look = watcher.look(call);
    CHECK(look->moved);
    CHECK(look->tip == held);
    CHECK(look->held.empty());
    return;
  }
  // Back to a descendant: goes on.
  const auto second = commit(first, "2");
  forge.branches["refs/heads/main"] = second;
  CHECK(watcher.look(call)->tip == second);
}

TEST_CASE_FIXTURE(Fixture, "watcher: a forge that is down, slow or empty changes nothing") {
  CHECK(watcher.look(call).error().code == Code::NotFound);
  const auto first = commit(std::nullopt, "1");
  forge.branches["refs/heads/main"] = first;
  forge.fetch_fails = true;
  CHECK(watcher.look(call).error().code == Code::Timeout);
  forge.fetch_fails = false;
  CHECK(watcher.look(call)->moved);
  forge.down = true;
  CHECK(watcher.look(call).error().code == Code::Unreachable);
  CHECK(mirror.resolve(Watcher::kSeen).value() == first);
}
