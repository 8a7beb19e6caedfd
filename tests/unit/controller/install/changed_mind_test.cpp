// What is asked for changes while a run waits or is under way.
#include <doctest/doctest.h>

#include "story.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using namespace nimbus::controller::test;
using namespace std::chrono_literals;

namespace {

/// acme/web-1 runs, and may be erased as far as it goes.
void runs_unprotected(Story& story) {
  story.push({instance("web-1", false)});
  REQUIRE(story.until([&] { return story.runs(); }));
  CHECK_FALSE(story.until([] { return false; }, 5));
}

Instance raised(int reinstall) {
  auto out = instance("web-1", false);
  out.reinstall = reinstall;
  return out;
}

}  // namespace

TEST_CASE("a release that waits is called off when the instance's file is back") {
  Story story;
  runs_unprotected(story);
  SUBCASE("while the forge takes no intent") { story.world.forge_down = true; }
  SUBCASE("while something forbids it") { story.world.guard_refuses = "held"; }
  story.push({});
  CHECK_FALSE(story.until([] { return false; }, 10));
  REQUIRE(story.facts->phase == registry::MachinePhase::Releasing);
  story.push({instance()});  // git revert
  story.world.forge_up();
  story.world.guard_refuses.clear();
  CHECK_FALSE(story.until([&] { return story.world.erases > 0; }, 100));
  CHECK(story.runs());
  CHECK(story.facts->claim->instance == "acme/web-1");
  CHECK(story.world.installs == 1);
}

TEST_CASE("a release that has begun ends, also when the file is back: the instance is installed anew") {
  Story story;
  runs_unprotected(story);
  story.world.dies_checked_in = 1;
  story.push({});
  REQUIRE(story.until([&] { return story.world.dies_checked_in == 0; }));
  story.push({instance()});
  REQUIRE(story.until([&] { return story.world.installs == 2 && story.runs(); }));
  CHECK(story.world.erases == 1);
}

TEST_CASE("a reinstall that waits is called off by protecting, by lowering it, and by a release") {
  Story story;
  runs_unprotected(story);
  story.world.guard_refuses = "outside of its windows";
  story.push({raised(1)});
  CHECK_FALSE(story.until([] { return false; }, 10));
  REQUIRE(story.facts->phase == registry::MachinePhase::Installing);
  SUBCASE("protected") {
    auto wanted = instance("web-1", true);
    wanted.reinstall = 1;
    story.push({wanted});
    story.world.guard_refuses.clear();
    CHECK_FALSE(story.until([&] { return story.world.installs > 1; }, 50));
    CHECK(story.runs());
  }
  SUBCASE("lowered") {
    story.push({raised(0)});
    story.world.guard_refuses.clear();
    CHECK_FALSE(story.until([&] { return story.world.installs > 1; }, 50));
    CHECK(story.runs());
  }
  SUBCASE("its file is removed") {
    story.push({});
    story.world.guard_refuses.clear();
    REQUIRE(story.until([&] { return story.available(); }));
    CHECK(story.world.erases == 1);
    CHECK(story.world.installs == 1);
  }
}

TEST_CASE("reinstall is raised again while one is under way: another one, with what is asked for then") {
  Story story;
  runs_unprotected(story);
  story.push({raised(1)});
  REQUIRE(story.until([&] { return story.world.installs == 2; }));
  REQUIRE_FALSE(story.runs());
  story.push({raised(2)});
  REQUIRE(story.until([&] { return story.world.installs == 3 && story.runs(); }));
  CHECK(story.facts->installed->reinstall == 2);
}

TEST_CASE("protected while a run is under way, and then its file is removed: nothing is erased") {
  Story story;
  story.push({instance("web-1", false)});
  REQUIRE(story.until([&] { return story.runs(); }));
  CHECK_FALSE(story.until([] { return false; }, 5));
  story.push({raised(1)});
  REQUIRE(story.until([&] { return story.world.installs == 2; }));
  REQUIRE_FALSE(story.runs());
  auto wanted = instance("web-1", true);
  wanted.reinstall = 1;
  story.push({wanted});
  SUBCASE("looked at between") {
    CHECK_FALSE(story.until([] { return false; }, 1));
  }
  SUBCASE("at once") {}
  SUBCASE("and nimbusd is killed before it looks at the machine") {
    SUBCASE("before the file goes") { story.instances.clear(); }
    SUBCASE("after it has gone") { story.push({}); }
    story.start();
  }
  story.push({});
  CHECK_FALSE(story.until([&] { return story.world.erases > 0; }, 100));
  CHECK(story.held());
}

TEST_CASE("an install that was given up and begun again has written: its machine is not free without erasing") {
  Story story;
  story.world.ssh = reconcilers::SshAnswer::OtherKey;
  story.push({instance("web-1", false)});
  REQUIRE(story.until([&] { return story.held(); }));
  REQUIRE(story.world.installs == 1);
  story.desired.lifecycle.state = LifecycleState::Maintenance;
  story.push(story.instances);
  CHECK_FALSE(story.until([] { return false; }, 5));
  story.world.guard_refuses = "held";  // so that it waits before its first step
  story.desired.lifecycle.state = LifecycleState::InService;
  story.push(story.instances);
  CHECK_FALSE(story.until([] { return false; }, 5));
  story.push({});
  CHECK_FALSE(story.until([] { return false; }, 5));
  REQUIRE(story.facts);
  CHECK(story.facts->claim);
  story.world.guard_refuses.clear();
  REQUIRE(story.until([&] { return story.available(); }));
  CHECK(story.world.erases == 1);
}

TEST_CASE("an instance that goes between two attempts of its install: the machine is erased") {
  Story story;
  story.push({instance("web-1", false)});
  story.world.dies_while_writing = 1;
  REQUIRE(story.until([&] { return story.world.dies_while_writing == 0; }));
  story.world.guard_refuses = "held";
  CHECK_FALSE(story.until([] { return false; }, 20));
  story.push({});
  CHECK_FALSE(story.until([] { return false; }, 5));
  story.world.guard_refuses.clear();
  REQUIRE(story.until([&] { return story.available(); }));
  CHECK(story.world.erases == 1);
}

TEST_CASE("a machine that is braked on its way to the installer gets none") {
  Story story;
  story.push({instance()});
  SUBCASE("while its boot is prepared, and somebody boots it from the network") {
    story.world.arm_fails = 1;
    REQUIRE(story.until([&] { return story.world.arm_fails == 0; }));
    story.desired.lifecycle.hands_off = true;
    story.world.guard_refuses = "hands-off";
    story.push(story.instances);
    CHECK_FALSE(story.until([] { return false; }, 1));
    story.world.power = PowerState::On;
    story.world.from_network = true;
  }
  SUBCASE("a hold of the controller itself") {
    story.world.arm_fails = 1;
    REQUIRE(story.until([&] { return story.world.arm_fails == 0; }));
    story.world.guard_refuses = "held locally";
    CHECK_FALSE(story.until([] { return false; }, 1));
    story.world.power = PowerState::On;
    story.world.from_network = true;
  }
  SUBCASE("after it was switched on") {
    REQUIRE(story.until([&] { return story.world.from_network; }));
    story.desired.lifecycle.hands_off = true;
    story.world.guard_refuses = "hands-off";
    story.push(story.instances);
    story.facts = story.controller->pass(story.desired);
  }
  CHECK_FALSE(story.until([&] { return story.world.installs > 0; }, 20));
  story.desired.lifecycle.hands_off = false;
  story.world.guard_refuses.clear();
  story.push(story.instances);
  CHECK(story.until([&] { return story.runs(); }, 400));
  CHECK(story.world.installs == 1);
}

TEST_CASE("a machine's file is removed on its way to the installer: it gets none") {
  Story story;
  auto other = machine();
  other.id.machine = "m2";
  other.path = "providers/p/machines/m2.toml";
  other.identity.serial = "S2";
  other.mac = "52:54:00:12:34:99";
  other.lifecycle.existing_data = ExistingData::Keep;
  story.push({instance()});
  REQUIRE(story.until([&] { return story.world.from_network; }));
  REQUIRE(story.world.run_order() != nullptr);
  SUBCASE("another machine is there, of which nothing is known") {
    story.controller->leave(other);
    story.controller->pass(other);
  }
  SUBCASE("there is no other machine") { story.controller->leave({}); }
  CHECK(story.world.run_order() == nullptr);
  story.world.machine_lives();
  CHECK(story.world.installs == 0);
}

TEST_CASE("more disks than status tells of: their records do not contradict the journal") {
  Story story;
  for (int i = 2; i <= 120; ++i) story.world.disks.push_back("serial.D" + std::to_string(i));
  runs_unprotected(story);
  story.push({});
  REQUIRE(story.until([&] { return story.available(); }));
  REQUIRE(story.facts->erases.size() == 120);
  story.push({instance("web-2")});
  REQUIRE(story.until([&] { return story.runs(); }));
}
