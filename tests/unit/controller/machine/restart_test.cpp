// Restarts that an instance asks for, and the limits of switching on.
#include <algorithm>

#include "pass_fixture.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using namespace nimbus::controller::test;
using namespace std::chrono_literals;
using DecisionKind = reconcilers::PowerDecision::Kind;

namespace {

/// An instance runs on the machine; its restart counter is answered up to 1.
struct WithInstance : Fixture {
  PowerOnPace pace;
  RebootBudget reboots;
  Policy policy;
  Instance instance;
  WithInstance() {
    tools.disruption.facts = &log;
    tools.disruption.pace = &pace;
    tools.disruption.reboots = &reboots;
    tools.disruption.zones = [](const std::string&, WallTime) { return std::optional(std::chrono::seconds(0)); };
    policy.limits.resize(1);
    instance.tenant = "acme";
    instance.name = "web-1";
    instance.restart = 1;
    desired.enforcement = Enforcement::Observe;  // a restart is asked for by the instance itself
    machine.power = PowerState::On;
    go();
  }
  MachineReport go() { return run_pass({desired, commit, &instance, &policy}, *memory, tools, {}); }
};

const std::vector<PowerAction> kOneCycle = {PowerAction::SoftOff, PowerAction::On};

}  // namespace

TEST_CASE_FIXTURE(WithInstance, "restart: raised, one cycle; then nothing") {
  CHECK(machine.received.empty());
  instance.restart = 2;
  for (int i = 0; i < 5; ++i) go();
  CHECK(machine.received == kOneCycle);
  CHECK(machine.power == PowerState::On);
  memory = restart();
  for (int i = 0; i < 3; ++i) CHECK(!go().sent);
}

TEST_CASE_FIXTURE(WithInstance, "restart: killed at any write, before or after it, and it is one cycle all the same") {
  struct Crash {};
  for (int victim = 0; victim < 2; ++victim) {
    for (const bool sent : {false, true}) {
      CAPTURE(victim);
      CAPTURE(sent);
      machine.received.clear();
      instance.restart += 1;
      int writes = 0;
      machine.before_act = [&] {
        if (writes++ != victim) return;
        if (sent) machine.apply(victim == 0 ? PowerAction::SoftOff : PowerAction::On);
        throw Crash{};
      };
      for (int i = 0; i < 12; ++i) {
        try {
          go();
        } catch (const Crash&) {
          memory = restart();
        }
        clock.advance(tools.power.settle);
      }
      machine.before_act = {};
      CHECK(machine.power == PowerState::On);
      CHECK(std::count(machine.received.begin(), machine.received.end(), PowerAction::On) == 1);
      CHECK(machine.received.size() == 2);
    }
  }
}

TEST_CASE_FIXTURE(WithInstance, "restart: without a durable step nothing is sent") {
  instance.restart = 2;
  log.broken = true;
  CHECK(go().error.has_value());
  CHECK(machine.received.empty());
}

TEST_CASE_FIXTURE(WithInstance,
                  "restart: a journal that was lost, or is an older copy, repeats nothing that was published") {
  instance.restart = 2;
  SUBCASE("lost") {
    MemoryRunLog empty;
    tools.disruption.facts = &empty;
    memory = restart();
    tools.disruption.published = [](const std::string&) { return PublishedRestart{true, "acme/web-1", 2}; };
    CHECK(!go().sent);
    instance.restart = 3;
    CHECK(go().sent.has_value());
  }
  SUBCASE("an older copy") {
    memory = restart();
    tools.disruption.published = [](const std::string&) { return PublishedRestart{true, "acme/web-1", 2}; };
    CHECK(!go().sent);
  }
  SUBCASE("not read back yet: nothing is begun") {
    memory = restart();
    tools.disruption.published = [](const std::string&) { return PublishedRestart{false, "", 0}; };
    CHECK(!go().sent);
  }
}

TEST_CASE_FIXTURE(WithInstance, "restart: brakes, windows and budgets make it wait") {
  instance.restart = 2;
  SUBCASE("hands off") {
    desired.lifecycle.hands_off = true;
    CHECK(go().refusal->reason == "HandsOff");
    desired.lifecycle.hands_off = false;
  }
  SUBCASE("outside of the window") {
    policy.limits[0].windows = {{.days = {"xxx"}, .from = "00:00", .to = "00:01", .timezone = "Etc/UTC"}};
    CHECK(go().refusal->reason == "Window");
    policy.limits[0].windows.clear();
  }
  SUBCASE("as many machines reboot as may") {
    policy.limits[0].disruption.machines_rebooting = 1;
    REQUIRE(reboots.begin("other", 1));
    const auto report = go();
    CHECK(!report.refusal);
    CHECK(report.decision.kind == DecisionKind::Wait);
    reboots.end("other");
  }
  CHECK(machine.received.empty());
  for (int i = 0; i < 4; ++i) go();
  CHECK(machine.received == kOneCycle);
  CHECK(reboots.begin("another", 1));  // it was given back
}

TEST_CASE_FIXTURE(WithInstance, "power: the instance's wish counts, capped by enforcement") {
  instance.power = InstancePower::Off;
  CHECK(go().decision.kind == DecisionKind::Report);
  desired.enforcement = Enforcement::Enforce;
  desired.power = WantedPower::On;
  go();
  CHECK(machine.power == PowerState::Off);
}

TEST_CASE_FIXTURE(WithInstance, "power-on: not more per minute than the provider allows") {
  desired.enforcement = Enforcement::Enforce;
  policy.disruption.power_on_per_minute = 1;
  pace.recall({clock.wall()});
  machine.power = PowerState::Off;
  CHECK(go().decision.kind == DecisionKind::Wait);
  CHECK(machine.received.empty());
  CHECK(log.runs().empty());
  clock.advance(60s);
  go();
  CHECK(machine.power == PowerState::On);
}
