// What is published, when, and what becomes of it.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <thread>

#include "publisher_fixture.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using namespace nimbus::controller::test;
using nimbus::test::commit_files;
using State = Authority::State;

TEST_CASE("a flush commits what differs, and nothing otherwise") {
  const Forge forge;
  Controller ctl(forge, "ctl-1");
  ctl.take();
  CHECK(!ctl.flush().commit);
  ctl.publisher.put(path_of("m1"), "power = \"off\"\n", "enrolled");
  ctl.publisher.put(path_of("m2"), "power = \"off\"\n", "enrolled");
  CHECK(ctl.publisher.waiting() == 2);
  const auto flushed = ctl.flush();
  REQUIRE(flushed.commit);
  CHECK(flushed.documents == 2);
  CHECK(ctl.publisher.waiting() == 0);
  CHECK(git(forge.temp / "forge", {"rev-parse", kBranch}) == *flushed.commit);

  ctl.publisher.put(path_of("m1"), "power = \"on\"\n", "power-on");
  ctl.publisher.put(path_of("m1"), "power = \"off\"\n");  // back before anybody saw it
  const int pushes = ctl.wire.pushes;
  CHECK(!ctl.flush().commit);
  CHECK(ctl.wire.pushes == pushes);
  CHECK(ctl.publisher.waiting() == 0);

  ctl.publisher.put(path_of("m1"), "power = \"on\"\n", "power-on");
  ctl.publisher.put(path_of("m1"), "power = \"on\"\nx = 1\n");  // the event stays told
  ctl.flush();
  CHECK(git(forge.temp / "forge", {"log", "-1", "--format=%s", kBranch}) == "m1: power-on");
  CHECK(git(forge.temp / "forge", {"diff", "--name-status", std::string(kBranch) + "^", kBranch}) ==
        "M\t" + path_of("m1"));
  ctl.publisher.remove(path_of("m2"), "unmanaged");
  ctl.publisher.remove(path_of("never"), "unmanaged");
  ctl.flush();
  CHECK(git(forge.temp / "forge", {"ls-tree", "-r", "--name-only", kBranch}) == path_of("m1") + "\nstatus.toml");
  CHECK(forge.log("%s") == "m2: unmanaged\nm1: power-on\n2 machines: enrolled\nberlin-1/ctl-1: term 1");
  CHECK(git(forge.temp / "forge", {"fsck", "--strict"}).empty());
}

TEST_CASE("trailers say on which registry and by whom") {
  const Forge forge;
  Controller ctl(forge, "ctl-1");
  ctl.take();
  const std::string commit = "0123456789012345678901234567890123456789";
  ctl.publisher.set_controller({.accepted_commit = commit, .observed_commit = commit});
  ctl.publisher.put(path_of("m1"), "1", "power-on");
  ctl.publisher.put("tenants/acme/instances/web-1.toml", "1", "running");
  ctl.flush();
  CHECK(git(forge.temp / "forge", {"log", "-1", "--format=%(trailers:only)", kBranch}) ==
        "Nimbus-Registry: " + commit + "\nNimbus-Controller: berlin-1/ctl-1\nNimbus-Term: 1\nNimbus-Machines: 1");
  CHECK(git(forge.temp / "forge", {"log", "-1", "--format=%an <%ae> %at", kBranch}) ==
        "nimbusd <nimbusd@localhost> 1795428000");
}

TEST_CASE("status.toml goes along; alone it waits, unless it has news") {
  const Forge forge;
  Controller ctl(forge, "ctl-1");
  ctl.take();
  registry::ControllerStatus status;
  status.accepted_commit = status.observed_commit = std::string(40, 'a');
  ctl.publisher.set_controller(status);
  ctl.clock.pass(9min);
  CHECK(!ctl.flush().commit);
  ctl.publisher.put(path_of("m1"), "1", "power-on");
  CHECK(ctl.flush().documents == 2);
  CHECK(forge.show("status.toml").find(status.accepted_commit) != std::string::npos);

  status.accepted_commit = status.observed_commit = std::string(40, 'b');
  ctl.publisher.set_controller(status);
  ctl.clock.pass(9min);
  CHECK(!ctl.flush().commit);
  ctl.clock.pass(1min);
  CHECK(ctl.flush().commit);
  CHECK(git(forge.temp / "forge", {"log", "-1", "--format=%s", kBranch}) == "registry: accepted bbbbbbbbbbbb");
  ctl.clock.pass(60min);
  CHECK(!ctl.flush().commit);

  status.state = registry::RegistryState::Partly;
  status.problems = {{"providers/p/machines/m1.toml", 7, 1, "unknown-key", "unknown key"}};
  ctl.publisher.set_controller(status);
  CHECK(ctl.flush().commit);
  CHECK(git(forge.temp / "forge", {"log", "-1", "--format=%s", kBranch}) ==
        "registry: partly bbbbbbbbbbbb (1 problem)");
}

TEST_CASE("with the forge down everything waits, and one commit tells it all") {
  const Forge forge;
  Controller ctl(forge, "ctl-1");
  ctl.take();
  std::filesystem::rename(forge.temp / "forge", forge.temp / "away");
  for (int i = 0; i < 3; ++i) {
    ctl.publisher.put(path_of("m1"), std::to_string(i), "power-on");
    CHECK(ctl.flush_error() == Code::NotFound);
    CHECK(ctl.publisher.authority().state == State::Held);
  }
  ctl.publisher.put(path_of("m2"), "x", "power-on");
  std::filesystem::rename(forge.temp / "away", forge.temp / "forge");
  ctl.flush();
  CHECK(forge.show(path_of("m1")) == "2");
  CHECK(forge.count() == "2");
}

TEST_CASE("a push whose answer is lost is neither repeated nor forgotten") {
  const Forge forge;
  Controller ctl(forge, "ctl-1");
  ctl.take();
  ctl.publisher.put(path_of("m1"), "1", "power-on");
  ctl.wire.lose_answer = true;
  CHECK(ctl.flush_error() == Code::Timeout);
  ctl.wire.lose_answer = false;
  CHECK(ctl.publisher.waiting() == 1);
  ctl.clock.pass(5s);
  CHECK(!ctl.flush().commit);  // it is there already
  CHECK(ctl.publisher.waiting() == 0);
  CHECK(forge.count() == "2");
  ctl.publisher.put(path_of("m1"), "2", "power-off");
  ctl.flush();
  CHECK(forge.count() == "3");

  Controller other(forge, "ctl-2");
  other.wire.lose_answer = true;
  CHECK(!other.publisher.take_term(within(60s)).has_value());
  CHECK(other.publisher.authority().state == State::Starting);
  other.wire.lose_answer = false;
  CHECK(other.take().term == 3);
}

TEST_CASE("somebody else's commit is overlaid, what was changed by hand is restored") {
  const Forge forge;
  Controller ctl(forge, "ctl-1");
  ctl.take();
  ctl.publisher.put(path_of("m1"), "ours 1", "power-on");
  ctl.publisher.put(path_of("m2"), "ours 2", "power-on");
  ctl.flush();
  commit_files(forge.temp / "forge", kShortBranch, {{path_of("m1"), "by hand"}, {"notes.txt", "hello"}});
  ctl.publisher.put(path_of("m2"), "ours 3", "power-off");
  ctl.flush();
  CHECK(forge.show(path_of("m1")) == "ours 1");
  CHECK(forge.show(path_of("m2")) == "ours 3");
  CHECK(forge.show("notes.txt") == "hello");
  CHECK(forge.log("%s").starts_with("2 machines: m1 restored, m2 power-off\nChange\n"));
}

TEST_CASE("a branch that was deleted or set back is written again as a whole") {
  const Forge forge;
  Controller ctl(forge, "ctl-1");
  ctl.take();
  ctl.publisher.put(path_of("m1"), "1", "power-on");
  ctl.flush();
  const auto first = git(forge.temp / "forge", {"rev-parse", kBranch});
  ctl.publisher.put(path_of("m2"), "2", "power-on");
  ctl.flush();
  git(forge.temp / "forge", {"update-ref", kBranch, first});
  ctl.publisher.put(path_of("m3"), "3", "power-on");
  ctl.flush();
  const auto all = path_of("m1") + "\n" + path_of("m2") + "\n" + path_of("m3") + "\nstatus.toml";
  CHECK(git(forge.temp / "forge", {"ls-tree", "-r", "--name-only", kBranch}) == all);
  git(forge.temp / "forge", {"update-ref", "-d", kBranch});
  ctl.publisher.put(path_of("m3"), "4", "power-off");
  ctl.flush();
  CHECK(git(forge.temp / "forge", {"ls-tree", "-r", "--name-only", kBranch}) == all);
  CHECK(forge.show(path_of("m3")) == "4");
  const auto status = registry::parse_controller_status(forge.show("status.toml"));
  REQUIRE(status);
  CHECK(status->term == 1);
}

TEST_CASE("a branch that is no status branch is left alone") {
  const Forge forge;
  commit_files(forge.temp / "forge", kShortBranch, {{"README", "mine"}});
  Controller ctl(forge, "ctl-1");
  auto taken = ctl.publisher.take_term(within(60s));
  REQUIRE(!taken);
  CHECK(taken.error().code == Code::Invalid);
  commit_files(forge.temp / "forge", kShortBranch, {{"status.toml", "format = 2\n"}});
  taken = ctl.publisher.take_term(within(60s));
  REQUIRE(!taken);
  CHECK(taken.error().code == Code::Unsupported);
  CHECK(forge.count() == "2");
}

TEST_CASE("documents that come while a flush is under way are not lost") {
  const Forge forge;
  Controller ctl(forge, "ctl-1");
  ctl.take();
  std::atomic<bool> done = false;
  std::jthread writer([&] {
    for (int i = 0; i < 200; ++i) {
      ctl.publisher.put(path_of("m" + std::to_string(i % 7)), std::to_string(i), "power-on");
      std::this_thread::yield();
    }
    done = true;
  });
  while (!done) ctl.flush();
  ctl.flush();
  for (int i = 193; i < 200; ++i) CHECK(forge.show(path_of("m" + std::to_string(i % 7))) == std::to_string(i));
  CHECK(ctl.publisher.waiting() == 0);
}

TEST_CASE("a branch that grew long begins anew with all that it says") {
  const Forge forge;
  Controller ctl(forge, "ctl-1", 4);
  ctl.take();
  for (int i = 1; i <= 3; ++i) {
    ctl.publisher.put(path_of("m" + std::to_string(i)), "1", "power-on");
    ctl.flush();
  }
  CHECK(forge.count() == "4");
  const auto before = git(forge.temp / "forge", {"rev-parse", kBranch});
  ctl.publisher.put(path_of("m1"), "2", "power-off");
  ctl.flush();
  CHECK(forge.count() == "1");
  CHECK(forge.log("%s") == "m1: power-off");
  CHECK(forge.log("%(trailers:key=Nimbus-Previous,valueonly,separator=%x2c)") == before);
  CHECK(git(forge.temp / "forge", {"diff", "--name-status", before, kBranch}) == "M\t" + path_of("m1"));
  ctl.publisher.put(path_of("m1"), "3", "power-on");
  ctl.flush();
  CHECK(forge.count() == "2");

  Controller next(forge, "ctl-2", 4);  // the length is that of the branch, not of a process
  CHECK(next.take().documents.size() == 3);
  for (const char* state : {"4", "5", "6"}) {
    next.publisher.put(path_of("m1"), state, "power-on");
    next.flush();
  }
  CHECK(forge.count() == "2");
}

TEST_CASE("a forge that refuses a new beginning gets a longer branch") {
  const Forge forge;
  git(forge.temp / "forge", {"config", "receive.denyNonFastForwards", "true"});
  Controller ctl(forge, "ctl-1", 2);
  ctl.take();
  for (int i = 0; i < 4; ++i) {
    ctl.publisher.put(path_of("m1"), std::to_string(i), "power-on");
    ctl.flush();
  }
  CHECK(forge.count() == "5");
  CHECK(forge.show(path_of("m1")) == "3");
}
