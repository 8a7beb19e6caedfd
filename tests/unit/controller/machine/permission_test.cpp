// A pass that is stopped, or that waits for the forge, between its permission and its write.
#include "pass_fixture.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using namespace nimbus::controller::test;
using namespace std::chrono_literals;

namespace {

struct Stopped : Fixture {
  Stopped() {
    machine.now = [this] { return clock.now(); };
    machine.before_act = [this] {
      if (++tries > 1) return;
      clock.advance(20s);
      if (taken_over) authority = {.state = Authority::State::Deposed, .term = 1, .detail = "lab/other took term 2"};
    };
  }
  int tries = 0;
  bool taken_over = false;
};

}  // namespace

TEST_CASE_FIXTURE(Stopped, "stopped inside the driver, and deposed meanwhile: nothing reaches the machine") {
  taken_over = true;
  const auto report = pass();
  CHECK(machine.received.empty());
  CHECK(tries == 1);
  REQUIRE(report.refusal);
  CHECK(report.refusal->message.find("took term 2") != std::string::npos);
  CHECK(log.runs().at(0).outcome == RunOutcome::Failed);
}

TEST_CASE_FIXTURE(Stopped,
                  "stopped inside the driver, and still in charge: the guard is asked again, then once it is sent") {
  const auto report = pass();
  CHECK(machine.received == std::vector{PowerAction::On});
  CHECK(tries == 2);
  CHECK(!report.refusal);
  CHECK(log.runs().size() == 1);
  CHECK(log.runs().at(0).outcome == RunOutcome::Done);
}

TEST_CASE_FIXTURE(Fixture, "what the forge takes is not taken from the BMC") {
  tools.deadline = 1s;
  tools.authority = [this] {
    clock.advance(4s);
    return authority;
  };
  pass();
  CHECK(machine.received == std::vector{PowerAction::On});
  REQUIRE(machine.act_calls.size() == 1);
  CHECK(machine.act_calls[0].remaining(clock.now()) == 1s);
}
