// One pass over a machine: what is written, and what never is.
#include <algorithm>

#include "pass_fixture.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using namespace nimbus::controller::test;
using namespace std::chrono_literals;
using DecisionKind = reconcilers::PowerDecision::Kind;

TEST_CASE_FIXTURE(Fixture, "pass: power on, once; a second pass does nothing") {
  const auto first = pass();
  CHECK(first.sent.has_value());
  CHECK(machine.received == std::vector{PowerAction::On});
  CHECK(first.decision.kind == DecisionKind::Nothing);
  CHECK(log.runs().at(0).outcome == RunOutcome::Done);
  const auto second = pass();
  CHECK(!second.sent.has_value());
  CHECK(machine.received.size() == 1);
  CHECK(log.runs().size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "pass: observe only never writes") {
  desired.enforcement = Enforcement::Observe;
  CHECK(pass().decision.kind == DecisionKind::Report);
  CHECK(machine.received.empty());
}

TEST_CASE_FIXTURE(Fixture, "pass: nothing is written to another machine than the one meant") {
  machine.identity.serial = "OTHER";
  const auto report = pass();
  CHECK(machine.received.empty());
  REQUIRE(report.refusal.has_value());
  CHECK(report.refusal->reason == "WrongMachine");
}

TEST_CASE_FIXTURE(Fixture, "pass: an unreadable identity means observe only") {
  machine.fail_identity = [] { return Error{Code::Timeout, "no answer"}; };
  const auto report = pass();
  CHECK(machine.received.empty());
  REQUIRE(report.refusal.has_value());
  CHECK(report.refusal->reason == "IdentityUnknown");
}

TEST_CASE_FIXTURE(Fixture, "pass: a machine swapped after it was identified is not written to") {
  desired.power = WantedPower::Off;
  machine.power = PowerState::Off;
  pass();  // identified, nothing to do
  machine.power = PowerState::On;
  SUBCASE("the session goes on, the identity changes") { machine.identity.serial = "OTHER"; }
  SUBCASE("between the last look and the write") {
    machine.before_act = [&] {
      machine.drop_session();
      machine.identity.serial = "OTHER";
    };
  }
  const auto report = pass();
  CHECK(!report.sent.has_value());
  CHECK(machine.received.empty());
}

TEST_CASE_FIXTURE(Fixture, "pass: brakes and authority") {
  SUBCASE("hands off") { desired.lifecycle.hands_off = true; }
  SUBCASE("maintenance") { desired.lifecycle.state = LifecycleState::Maintenance; }
  SUBCASE("retired") { desired.lifecycle.state = LifecycleState::Retired; }
  SUBCASE("no term yet") { authority.state = Authority::State::Starting; }
  SUBCASE("deposed") { authority.state = Authority::State::Deposed; }
  const auto report = pass();
  CHECK(machine.received.empty());
  CHECK(report.refusal.has_value());
  CHECK(log.runs().empty());
}

TEST_CASE_FIXTURE(Fixture, "pass: stopped between permission and write, it asks again before it writes") {
  bool taken_over = false;
  SUBCASE("another controller took over meanwhile") { taken_over = true; }
  SUBCASE("nothing happened meanwhile") { taken_over = false; }
  log.while_beginning = [&] {
    clock.advance(10s);
    if (taken_over) authority = {.state = Authority::State::Deposed, .term = 1, .detail = "lab/other took term 2"};
  };
  const auto report = pass();
  CHECK(machine.received.size() == (taken_over ? 0 : 1));
  CHECK(report.sent.has_value() != taken_over);
  CHECK(log.runs().at(0).outcome == (taken_over ? RunOutcome::Failed : RunOutcome::Done));
  if (taken_over) CHECK(report.refusal.value().reason == "Deposed");
}

TEST_CASE_FIXTURE(Fixture, "pass: without a durable intent there is no write") {
  log.broken = true;
  const auto report = pass();
  CHECK(machine.received.empty());
  CHECK(report.error.has_value());
}

TEST_CASE_FIXTURE(Fixture, "pass: a write whose answer got lost is not repeated before the machine was given time") {
  machine.fail_act_sent = [] { return Error{Code::Timeout, "no answer"}; };
  machine.ignores_actions = true;
  CHECK(pass().error.has_value());
  CHECK(pass().decision.kind == DecisionKind::Wait);
  CHECK(machine.received.size() == 1);
  machine.power = PowerState::On;  // it had worked after all
  CHECK(pass().decision.kind == DecisionKind::Nothing);
  CHECK(machine.received.size() == 1);
  CHECK(log.runs().at(0).outcome == RunOutcome::Done);
}

TEST_CASE_FIXTURE(Fixture, "pass: killed after the intent, with or without the write: one more at most, after a look") {
  struct Crash {};
  const bool sent = [] {
    bool value = false;
    SUBCASE("before the write reached the machine") { value = false; }
    SUBCASE("after it") { value = true; }
    return value;
  }();
  machine.before_act = [&] {
    if (sent) machine.apply(PowerAction::On);
    throw Crash{};
  };
  CHECK_THROWS_AS(pass(), Crash);
  machine.before_act = {};
  memory = restart();
  const auto report = pass();
  CHECK(report.decision.kind == (sent ? DecisionKind::Nothing : DecisionKind::Wait));
  clock.advance(tools.power.settle);
  pass();
  CHECK(machine.power == PowerState::On);
  CHECK(machine.received.size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "pass: soft off, then hard off after the deadline, never sooner") {
  desired.power = WantedPower::Off;
  machine.power = PowerState::On;
  machine.ignores_soft_off = true;
  pass();
  clock.advance(tools.power.soft_off_deadline - 1s);
  CHECK(pass().decision.kind == DecisionKind::Wait);
  CHECK(machine.received == std::vector{PowerAction::SoftOff});
  clock.advance(1s);
  pass();
  CHECK(machine.received == std::vector{PowerAction::SoftOff, PowerAction::HardOff});
  CHECK(machine.power == PowerState::Off);
}

TEST_CASE_FIXTURE(Fixture, "pass: a machine that does not obey is held after three tries, and recovers later") {
  machine.ignores_actions = true;
  for (int i = 0; i < 10; ++i) {
    pass();
    clock.advance(tools.power.settle);
  }
  CHECK(machine.received.size() == 3);
  CHECK(pass().decision.kind == DecisionKind::Hold);
  machine.ignores_actions = false;
  clock.advance(tools.power.attempts_window);
  pass();
  CHECK(machine.power == PowerState::On);
}

TEST_CASE_FIXTURE(Fixture, "pass: a changed wish is obeyed at once, whatever was tried before") {
  machine.ignores_actions = true;
  for (int i = 0; i < 10; ++i) {
    pass();
    clock.advance(tools.power.settle);
  }
  REQUIRE(pass().decision.kind == DecisionKind::Hold);
  machine.ignores_actions = false;
  desired.digest = "d2";
  pass();
  CHECK(machine.power == PowerState::On);
}

TEST_CASE_FIXTURE(Fixture, "pass: a changed address means a new connection and a new identity") {
  desired.bmc.address = "10.0.0.1";
  pass();
  REQUIRE(machine.sessions == 1);
  desired.bmc.address = "10.0.0.2";
  machine.power = PowerState::Off;
  machine.identity.serial = "OTHER";
  const auto report = pass();
  CHECK(machine.sessions == 2);
  CHECK(!report.sent.has_value());
}

TEST_CASE("pass: fault matrix converges") {
  for (const auto code : {Code::Unreachable, Code::Timeout, Code::Cancelled, Code::Auth, Code::Untrusted,
                          Code::NotFound, Code::Unsupported, Code::Conflict, Code::Invalid, Code::RateLimited,
                          Code::Busy, Code::Corrupt, Code::Internal}) {
    for (int where = 0; where < 4; ++where) {
      for (int times = 1; times <= 3; ++times) {
        for (const auto wanted : {WantedPower::On, WantedPower::Off}) {
          Fixture f;
          f.desired.power = wanted;
          f.machine.power = wanted == WantedPower::On ? PowerState::Off : PowerState::On;
          int left = times;
          const auto fail = [&]() -> std::optional<Error> {
            if (left == 0) return std::nullopt;
            left -= 1;
            return Error{code, "injected"};
          };
          if (where == 0) f.machine.fail_power = fail;
          if (where == 1) f.machine.fail_identity = fail;
          if (where == 2) f.machine.fail_act_unsent = fail;
          if (where == 3) f.machine.fail_act_sent = fail;
          for (int i = 0; i < 20; ++i) {
            f.pass();
            f.clock.advance(f.tools.power.settle);
          }
          f.clock.advance(f.tools.power.attempts_window);
          f.pass();
          const auto goal = wanted == WantedPower::On ? PowerState::On : PowerState::Off;
          CAPTURE(to_string(code));
          CAPTURE(where);
          CAPTURE(times);
          REQUIRE(f.machine.power == goal);
          REQUIRE(f.machine.received.size() <= 4);
          const auto before = f.machine.received.size();
          REQUIRE(!f.pass().sent.has_value());
          REQUIRE(f.machine.received.size() == before);
        }
      }
    }
  }
}

TEST_CASE_FIXTURE(Fixture, "pass: a local hold is asked for just before the write, and stops it") {
  int asked = 0;
  std::string hold;
  PassTools tools_with_hold{.clock = tools.clock,
                            .attach = tools.attach,
                            .authority = tools.authority,
                            .local_hold =
                                [&](const std::string& machine_name) {
                                  CHECK(machine_name == "m1");
                                  asked += 1;
                                  return asked % 2 == 0 ? hold : std::string();  // placed while the pass runs
                                },
                            .power = {}};
  hold = "moving the rack";
  const auto held = run_pass({desired, commit}, *memory, tools_with_hold, {});
  CHECK(asked == 2);
  REQUIRE(held.refusal.has_value());
  CHECK(held.refusal->reason == "Hold");
  CHECK(held.refusal->message == "held on the controller: moving the rack");
  CHECK(held.local_hold == "moving the rack");
  CHECK(machine.received.empty());
  CHECK(log.runs().empty());
  hold.clear();
  CHECK(run_pass({desired, commit}, *memory, tools_with_hold, {}).sent.has_value());
}

TEST_CASE_FIXTURE(Fixture, "pass: connections lost before anything was sent are no attempts: nobody has to look") {
  int lost = 0;
  machine.fail_act_unsent = [&]() -> std::optional<Error> {
    if (++lost > 7) return std::nullopt;
    return Error{Code::Conflict, "the session was lost, nothing was sent"};
  };
  for (int i = 0; i < 7; ++i) {
    CAPTURE(i);
    CHECK(pass().decision.kind != DecisionKind::Hold);
    clock.advance(5s);
  }
  CHECK(machine.received.empty());
  pass();
  CHECK(machine.received == std::vector{PowerAction::On});
}

TEST_CASE_FIXTURE(Fixture, "pass: a BMC that refuses again and again is held") {
  machine.fail_act_unsent = [] { return Error{Code::Unsupported, "not this action"}; };
  DecisionKind last = DecisionKind::Nothing;
  for (int i = 0; i < 7; ++i) {
    last = pass().decision.kind;
    clock.advance(5s);
  }
  CHECK(last == DecisionKind::Hold);
}
