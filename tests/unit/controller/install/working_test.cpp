// While the installer works, and what it leaves behind.
#include <doctest/doctest.h>

#include <algorithm>

#include "story.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using namespace nimbus::controller::test;
using namespace std::chrono_literals;

namespace {

/// web-1 was installed, runs, and is unprotected.
struct Installed : Story {
  explicit Installed(std::vector<std::string> disks) {
    world.disks = std::move(disks);
    push({instance("web-1", false)});
    REQUIRE(until([&] { return runs(); }));
    CHECK_FALSE(until([] { return false; }, 5));
  }
  void service() {
    desired.lifecycle.state = LifecycleState::Maintenance;
    push(instances);
    CHECK_FALSE(until([] { return false; }, 5));
    desired.lifecycle.state = LifecycleState::InService;
    push(instances);
  }
};

}  // namespace

TEST_CASE("an installer that is no more while the machine is on: another attempt, on the same disk") {
  Story story;
  story.world.stops_while_writing = 1;
  SUBCASE("its firmware asked what to boot") { story.world.then_asks_again = true; }
  SUBCASE("nothing more was heard") { story.world.then_asks_again = false; }
  story.push({instance()});
  REQUIRE(story.until([&] { return story.runs(); }));
  CHECK(story.world.installs == 1);
  CHECK(story.world.written_nonces.size() == 2);
  CHECK(story.world.last_plan->disk == "serial.D1");
}

TEST_CASE("the disk of an attempt stays that of the run, also when a later one told of none") {
  Story story;
  story.world.stops_while_writing = 1;
  story.world.then_asks_again = true;
  story.push({instance()});
  REQUIRE(story.until([&] { return story.world.written_nonces.size() == 1; }));
  story.world.dies_checked_in = 1;
  REQUIRE(story.until([&] { return story.runs(); }));
  CHECK(story.world.dies_checked_in == 0);
  CHECK(story.world.last_plan->disk == "serial.D1");
}

TEST_CASE("a disk that was there at the install and is not at the release: quarantined, and said which") {
  Installed story({"serial.D1", "serial.DATA"});
  story.world.disks = {"serial.D1"};
  story.start();  // what was there is in the journal
  story.push({});
  REQUIRE(story.until([&] { return story.held(); }));
  CHECK(story.facts->phase == registry::MachinePhase::Quarantined);
  CHECK(story.facts->held.find("not there to be erased: serial.DATA") != std::string::npos);
  REQUIRE(story.facts->erases.size() == 2);
  CHECK(story.facts->erases[0].verified);
  CHECK(story.facts->erases[1].disk == "serial.DATA");
  CHECK(story.facts->erases[1].method == kAbsent);
  CHECK_FALSE(story.facts->erases[1].verified);
  CHECK_FALSE(story.until([&] { return story.available(); }, 50));
  SUBCASE("it was put back: it is erased") {
    story.world.disks = {"serial.D1", "serial.DATA"};
    story.service();
    REQUIRE(story.until([&] { return story.available(); }));
    CHECK(story.facts->erases.size() == 2);
  }
  SUBCASE("it is gone for good") {
    story.service();
    REQUIRE(story.until([&] { return story.available(); }));
    CHECK(story.facts->erases.size() == 1);
  }
  CHECK(std::all_of(story.facts->erases.begin(), story.facts->erases.end(), [](const auto& e) { return e.verified; }));
}

TEST_CASE("an erasure that fails before it looks at a disk says nothing of disks: one that goes meanwhile is missed") {
  Installed story({"serial.D1", "serial.DATA"});
  story.world.installer_fails = "another machine answers";
  story.world.fails_before_disks = true;
  story.push({});
  REQUIRE(story.until([&] { return story.held(); }));
  CHECK(story.facts->erases.empty());
  story.world.installer_fails.clear();
  story.world.disks = {"serial.D1"};
  story.service();
  REQUIRE(story.until([&] { return story.facts->held.find("serial.DATA") != std::string::npos; }));
  CHECK_FALSE(story.until([&] { return story.available(); }, 50));
}

TEST_CASE("an installer that says that it has erased, and shows no proof: the machine is not offered") {
  Installed story({"serial.D1"});
  SUBCASE("no disk at all") { story.world.disks = {"serial.D1"}; }
  SUBCASE("a record that is not verified") { story.world.disks = {"serial.D1", "serial.D2"}; }
  story.world.erase_lies = true;
  story.push({});
  REQUIRE(story.until([&] { return story.held(); }));
  CHECK_FALSE(story.until([&] { return story.available(); }, 50));
  CHECK(story.facts->installed);
}

TEST_CASE("the data folder is lost after an install: a disk that was there then, and is gone, is missed all the same") {
  Installed story({"serial.D1", "serial.DATA"});
  story.world.journal.clear();
  story.start();
  CHECK_FALSE(story.until([] { return false; }, 5));
  story.world.disks = {"serial.D1"};
  story.push({});
  REQUIRE(story.until([&] { return story.held(); }));
  CHECK(story.facts->held.find("serial.DATA") != std::string::npos);
  CHECK_FALSE(story.until([&] { return story.available(); }, 50));
}

TEST_CASE("another machine's disks under a file that was installed: nothing is erased before a person has looked") {
  Installed story({"serial.D1"});
  story.desired.identity.serial = "S2";  // the whole server was replaced, and its file was edited
  story.world.serial = "S2";
  story.world.disks = {"serial.PRECIOUS"};
  story.push({});
  REQUIRE(story.until([&] { return story.held(); }));
  CHECK(story.world.erases == 0);
  CHECK(story.facts->phase == registry::MachinePhase::Quarantined);
  REQUIRE(story.facts->erases.size() == 1);
  CHECK(story.facts->erases[0].disk == "serial.D1");
  CHECK(story.facts->erases[0].method == "absent");
  story.service();  // it is as it should be
  REQUIRE(story.until([&] { return story.available(); }));
  CHECK(story.world.erases == 1);
}

TEST_CASE("a clock that is set back: deadlines still come") {
  Story story;
  story.push({instance()});
  REQUIRE(story.until([&] { return story.world.from_network; }));
  story.world.from_network = false;  // it does not boot from the network this time
  story.world.clock.set_wall(-1000h);
  REQUIRE(story.until([&] { return story.runs(); }, 600));
  CHECK(story.world.installs == 1);
}

TEST_CASE("a boot that was put off for long installs what is asked for when it comes") {
  Story story;
  story.world.arm_fails = 1;
  auto wanted = instance();
  wanted.hostname = "before";
  story.push({wanted});
  REQUIRE(story.until([&] { return story.world.arm_fails == 0; }));
  wanted.hostname = "after";
  story.push({wanted});
  REQUIRE(story.until([&] { return story.runs(); }));
  CHECK(story.world.last_plan->hostname == "after");
}

TEST_CASE("what was erased is the proof of the next install, disk by disk") {
  Installed story({"serial.D1", "serial.DATA"});
  story.push({});
  REQUIRE(story.until([&] { return story.available(); }));
  story.desired.lifecycle.existing_data = ExistingData::Keep;
  auto next = instance("db-1");
  next.tenant = "zeta";
  story.push({next});
  REQUIRE(story.until([&] { return story.runs(); }));
  CHECK(story.world.last_plan->erased == std::vector<std::string>{"serial.D1", "serial.DATA"});
}
