// A machine that nobody can see: its BMC is silent, or its file is gone, and the journal may
// be lost as well. Its instance is installed nowhere else.
#include <doctest/doctest.h>

#include "site.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using namespace nimbus::controller::test;

TEST_CASE("a BMC that does not answer: nothing is replaced, and the instance's status says so") {
  Site site;
  runs(site);
  for (int i = 0; i < 30; ++i) {
    site.life->unread(site.machines[0], "no answer in time");
    site.world.clock.advance(20s);
  }
  CHECK(site.told().message.find("nobody knows whether m1 runs: its BMC is silent: no answer in time; repair") == 0);
  CHECK(site.told().message.find("; the instance is not replaced until the machine is seen to be off") !=
        std::string::npos);
  site.pass(site.machines[1]);
  CHECK(site.bmcs["m2"].on == 0);
  site.pass(site.machines[0]);  // it answers again
  CHECK(site.told().message.empty());
}

TEST_CASE("a data folder is lost while a BMC is silent: its machine keeps the instance that status names") {
  Site site;
  runs(site);
  site.world.journal.clear();
  site.start();
  for (int i = 0; i < 30; ++i) {
    site.life->unread(site.machines[0], "no answer in time");
    site.pass(site.machines[1]);
    site.world.clock.advance(20s);
  }
  CHECK(site.bmcs["m2"].on == 0);
  CHECK(site.told().machine == "m1");
  CHECK(site.told().message.find("nobody knows whether m1 runs: its BMC is silent: no answer in time") == 0);
  site.pass(site.machines[0]);  // it answers again
  CHECK(site.is("m1", registry::MachinePhase::Active));
  CHECK(site.told().message.empty());
}

TEST_CASE("a BMC falls silent in the middle of an install, or after it was given up: status says so, nothing moves") {
  for (const bool given_up : {false, true}) {
    CAPTURE(given_up);
    Site site;
    site.unprotect();
    const auto there = [&] {
      return given_up ? site.told().phase == registry::InstancePhase::Failed
                      : site.is("m1", registry::MachinePhase::Installing) && site.bmcs["m1"].on > 0;
    };
    if (given_up) site.machines.pop_back();  // nowhere to go at first
    site.accept();
    REQUIRE(site.until(there));
    if (given_up) site.machines.push_back(machine("m2"));
    site.accept();
    for (int i = 0; i < 30; ++i) {
      site.life->unread(site.machines[0], "no answer in time");
      site.pass(site.machines[1]);
      site.world.clock.advance(20s);
    }
    const auto told = site.told();
    CAPTURE(told.message);
    CHECK(told.message.find("nobody knows whether m1 runs: its BMC is silent: no answer in time") != std::string::npos);
    CHECK((told.message.find("did not boot from the network") != std::string::npos) == given_up);
    CHECK((told.message.find("what is under way goes on then") != std::string::npos) == !given_up);
    CHECK(told.machine == "m1");
    CHECK(site.bmcs["m2"].on == 0);
  }
}

TEST_CASE(
    "a data folder is lost and a machine's file is removed: what status says it carries is installed nowhere else") {
  Site site;
  runs(site);
  site.world.journal.clear();
  site.machines.erase(site.machines.begin());
  site.start();
  for (int i = 0; i < 10; ++i) {
    site.pass(site.machines[0]);
    site.world.clock.advance(20s);
  }
  CHECK(site.bmcs["m2"].on == 0);
  CHECK(site.told().phase == registry::InstancePhase::Failed);
  CHECK(site.told().message == "status says that it is on m1, which is not in the registry; it is left as it is");
}
