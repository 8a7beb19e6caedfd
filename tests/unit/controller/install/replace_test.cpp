// on_machine_failure = "replace": an instance leaves a machine that failed it, and what
// becomes of the machine.
#include <doctest/doctest.h>

#include "site.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using namespace nimbus::controller::test;

TEST_CASE("a machine that does not boot from the network: its instance is installed on another one") {
  Site site;
  site.unprotect();
  REQUIRE(site.until([&] { return site.moved(); }));
  CHECK(site.facts["m1"]->claim->instance == "acme/web-1");
  CHECK(site.held("m1").find("did not boot from the network") != std::string::npos);
  CHECK(site.facts["m1"]->busy);
  CHECK(site.bmcs["m1"].state == PowerState::Off);
  CHECK(site.told().machine == "m2");
  CHECK(site.told().phase != registry::InstancePhase::Failed);
}

TEST_CASE("protected, it stays, and says why; with hold it stays") {
  Site site;
  std::string says = "protected = false";
  SUBCASE("protected") {}
  SUBCASE("hold") {
    site.instance.on_machine_failure = OnMachineFailure::Hold;
    site.unprotect();
    says = "given up after 3 attempts";
  }
  SUBCASE("no other machine") {
    site.machines.pop_back();
    site.unprotect();
    says = "no other machine fits: m1: in use by acme/web-1, whom it failed";
  }
  SUBCASE("deposed") {
    site.unprotect();
    REQUIRE(site.until([&] { return site.bmcs["m1"].on == 3; }));
    site.deposed = true;
    says = "another controller took over";
  }
  CHECK(site.until([&] { return site.facts["m1"] && site.held("m1").find(says) != std::string::npos; }));
  CHECK_FALSE(site.until([&] { return site.is("m2", registry::MachinePhase::Installing); }, 50));
  CHECK(site.told().machine == "m1");
  CHECK(site.told().message.find(says) != std::string::npos);
}

TEST_CASE("a machine that cannot be switched off keeps its instance") {
  Site site;
  site.unprotect();
  REQUIRE(site.until([&] { return site.bmcs["m1"].on == 1; }));
  site.bmcs["m1"].obeys = false;  // it is on, and stays so
  CHECK_FALSE(site.until([&] { return site.is("m2", registry::MachinePhase::Installing); }));
  CHECK(site.bmcs["m2"].on == 0);
  const int tried = site.bmcs["m1"].off;
  CHECK(tried > 3);  // also for the sake of another machine
  site.bmcs["m1"].obeys = true;
  CHECK(site.until([&] { return site.moved(); }));
}

TEST_CASE("a BMC that refuses to boot from the network; an image that has no source") {
  Site site;
  site.unprotect();
  site.bmcs["m1"].arms = false;
  REQUIRE(site.until([&] { return site.moved(); }));
  CHECK(site.bmcs["m1"].on == 0);

  Site other;
  other.unprotect();
  REQUIRE(other.until([&] { return other.bmcs["m1"].on == 1; }));
  other.world.installer_fails = "the image's SHA-256 is another";
  const auto* run = other.world.run_order();
  REQUIRE(run != nullptr);
  other.world.told[kMac].last = boot::Report{
      .run = run->run, .nonce = run->nonce, .stage = boot::Stage::Failed, .message = "the image's SHA-256 is another"};
  REQUIRE(other.until([&] { return other.held("m1").find("SHA-256") != std::string::npos; }));
  CHECK_FALSE(other.until([&] { return other.is("m2", registry::MachinePhase::Installing); }, 50));
}

TEST_CASE("a running instance whose machine no longer switches on") {
  Site site;
  runs(site);
  site.given_up = "tried 3 times";
  REQUIRE(site.until([&] { return site.moved(); }));
  CHECK(site.facts["m1"]->installed->disk == "serial.D1");
  CHECK(site.bmcs["m1"].on + site.bmcs["m1"].off == 0);
  // Somebody switches it on: it would boot a second acme/web-1.
  site.bmcs["m1"].state = PowerState::On;
  site.bmcs["m2"].state = PowerState::Off;
  site.pass(site.machines[0]);
  CHECK(site.bmcs["m1"].state == PowerState::Off);
}

TEST_CASE("a crash at every durable write: one machine has the instance") {
  int crashes = 0;
  for (int at = 1; at < 80; ++at) {
    CAPTURE(at);
    Site site;
    runs(site);
    site.given_up = "tried 3 times";
    site.world.effects_until_crash = at;
    REQUIRE(site.until([&] { return site.moved(); }));
    crashes += site.crashes;
    if (site.crashes == 0) break;
  }
  CHECK(crashes > 3);
}

TEST_CASE("the journal is lost after a replacement: status knows which machine has the instance") {
  Site site;
  runs(site);
  site.given_up = "tried 3 times";
  REQUIRE(site.until([&] { return site.moved() && site.bmcs["m2"].on == 1; }));
  site.world.journal.clear();
  site.world.told.clear();
  site.given_up.clear();
  site.start();
  REQUIRE(site.until([&] { return site.facts["m2"] && site.held("m2").find("journal") != std::string::npos; }));
  CHECK(site.is("m1", registry::MachinePhase::Quarantined));
  CHECK(site.told().machine == "m2");
  CHECK(site.bmcs["m1"].on == 0);
}

TEST_CASE("out of maintenance the machine that was left is erased, and its instance is not told of it") {
  Site site;
  runs(site);
  site.given_up = "tried 3 times";
  REQUIRE(site.until([&] { return site.moved(); }));
  site.given_up.clear();
  site.machines[0].lifecycle.state = LifecycleState::Maintenance;
  site.accept();
  CHECK_FALSE(site.until([&] { return site.bmcs["m1"].on > 0; }, 20));
  site.machines[0].lifecycle.state = LifecycleState::InService;
  site.accept();
  REQUIRE(site.until([&] { return site.is("m1", registry::MachinePhase::Releasing); }));
  CHECK(site.told().machine == "m2");
  CHECK(site.told().phase != registry::InstancePhase::Releasing);
}
