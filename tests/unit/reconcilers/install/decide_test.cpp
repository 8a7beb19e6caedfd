#include <doctest/doctest.h>

#include <vector>

#include "reconcilers/install/decide.hpp"

using namespace nimbus;
using namespace nimbus::reconcilers;
using namespace std::chrono_literals;
using Kind = RunStep::Kind;

namespace {

const WallTime kNow{std::chrono::hours(500'000)};
const InstallPolicy kPolicy;

Observed<PowerState> power(PowerState state) { return Observed<PowerState>::known(state, kNow); }

RunState run_in(RunPhase phase, RunKind kind = RunKind::Install) {
  return {.kind = kind, .phase = phase, .since = kNow, .powered = kNow};
}

RunStep step(const RunState& run, const RunView& view, WallTime now = kNow) {
  return decide_run(run, view, kPolicy, now);
}

}  // namespace

TEST_CASE("an install, step by step") {
  RunView view{.power = power(PowerState::On)};
  CHECK(step(run_in(RunPhase::Intent), view).kind == Kind::PushIntent);
  view.intent_pushed = true;
  CHECK(step(run_in(RunPhase::Intent), view).phase == RunPhase::Prepare);
  CHECK(step(run_in(RunPhase::Prepare), view).kind == Kind::PowerOff);
  view.power = power(PowerState::Off);
  CHECK(step(run_in(RunPhase::Prepare), view) == RunStep{Kind::Boot, RunPhase::Booting, "booting the installer"});
  view.power = power(PowerState::On);
  CHECK(step(run_in(RunPhase::Booting), view).kind == Kind::Wait);
  view.told = Told::CheckedIn;
  CHECK(step(run_in(RunPhase::Booting), view).phase == RunPhase::Working);
  view.told = Told::Working;
  CHECK(step(run_in(RunPhase::Working), view).kind == Kind::Wait);
  view.told = Told::Finished;
  CHECK(step(run_in(RunPhase::Working), view).phase == RunPhase::Handover);
  view.ssh = SshAnswer::Silent;
  CHECK(step(run_in(RunPhase::Handover), view).kind == Kind::AskSsh);
  view.ssh = SshAnswer::ExpectedKey;
  CHECK(step(run_in(RunPhase::Handover), view).kind == Kind::Finish);
}

TEST_CASE("an erase ends when the machine is off") {
  RunView view{.power = power(PowerState::On), .intent_pushed = true, .told = Told::Finished};
  CHECK(step(run_in(RunPhase::Working, RunKind::Erase), view).phase == RunPhase::Settle);
  CHECK(step(run_in(RunPhase::Settle, RunKind::Erase), view).kind == Kind::Wait);
  CHECK(step(run_in(RunPhase::Settle, RunKind::Erase), view, kNow + 3min).kind == Kind::PowerOff);
  view.power = power(PowerState::Off);
  CHECK(step(run_in(RunPhase::Settle, RunKind::Erase), view).kind == Kind::Finish);
}

TEST_CASE("nothing is switched while something refuses, or while power is not known") {
  for (const auto phase : {RunPhase::Intent, RunPhase::Prepare, RunPhase::Booting, RunPhase::Working,
                           RunPhase::Handover, RunPhase::Settle, RunPhase::Done, RunPhase::Held}) {
    for (const auto kind : {RunKind::Install, RunKind::Erase}) {
      for (const bool refused : {true, false}) {
        RunView view{.intent_pushed = true, .refusal = refused ? "no" : ""};
        if (refused) view.power = power(PowerState::Off);
        const auto now = kNow + (phase == RunPhase::Settle && !refused ? 0min : 1min);
        const auto what = step(run_in(phase, kind), view, now).kind;
        CHECK(what != Kind::Boot);
        CHECK(what != Kind::PowerOff);
      }
    }
  }
}

TEST_CASE("every waiting phase ends: by its deadline, with a reason") {
  struct Row {
    RunPhase phase;
    RunView view;
    std::chrono::milliseconds deadline;
    Kind expected;
  };
  const RunView on{.power = power(PowerState::On), .intent_pushed = true};
  RunView no_intent = on;
  no_intent.intent_pushed = false;
  const std::vector<Row> rows{{RunPhase::Intent, no_intent, kPolicy.intent_deadline, Kind::Hold},
                              {RunPhase::Settle, on, 3 * kPolicy.power_deadline, Kind::Hold},
                              {RunPhase::Booting, on, kPolicy.boot_deadline, Kind::Again},
                              {RunPhase::Working, on, kPolicy.work_deadline, Kind::Hold},
                              {RunPhase::Handover, on, kPolicy.handover_deadline, Kind::Hold}};
  for (const auto& row : rows) {
    CAPTURE(name_of(row.phase));
    CHECK(step(run_in(row.phase), row.view, kNow + row.deadline).kind != row.expected);
    const auto late = step(run_in(row.phase), row.view, kNow + row.deadline + 1ms);
    CHECK(late.kind == row.expected);
    CHECK_FALSE(late.reason.empty());
  }
}

TEST_CASE("an image that does not come: nothing is switched, and its deadline makes the wait known, not the run held") {
  auto run = run_in(RunPhase::Prepare);
  RunView view{.power = power(PowerState::Off), .intent_pushed = true, .image = "the mirror is dead"};
  run.image_since = kNow + 5h;  // however long something else refused before
  const auto in_time = step(run, view, run.image_since + kPolicy.image_deadline);
  CHECK(in_time == RunStep{Kind::Wait, RunPhase::Prepare, "the mirror is dead"});
  const auto late = step(run, view, run.image_since + kPolicy.image_deadline + 1ms);
  CHECK(late.kind == Kind::Wait);
  CHECK(late.overdue);
  CHECK(late.reason == "no image within image_deadline; it is tried on: the mirror is dead");
  view.refusal = "installing too many";
  CHECK(step(run, view, kNow + 100h) == RunStep{Kind::Wait, RunPhase::Prepare, "installing too many"});
  view.refusal.clear();
  view.image.clear();
  CHECK(step(run, view, kNow + 100h).kind == Kind::Boot);
}

TEST_CASE("an installer that is heard may take its time; one that is not loses its attempt") {
  RunView view{.power = power(PowerState::On), .intent_pushed = true, .told = Told::Working};
  view.silent = 3s;
  const auto late = kNow + 10 * kPolicy.work_deadline;
  for (const auto kind : {RunKind::Install, RunKind::Erase}) {
    CHECK(step(run_in(RunPhase::Working, kind), view, late).kind == Kind::Wait);
  }
  view.silent = kPolicy.silence_deadline + 1s;
  CHECK(step(run_in(RunPhase::Working, RunKind::Install), view, kNow + 1min).kind == Kind::Again);
  CHECK(step(run_in(RunPhase::Working, RunKind::Erase), view, kNow + 1min).kind == Kind::Wait);  // erases itself
  view.silent = kPolicy.work_deadline + 1s;
  CHECK(step(run_in(RunPhase::Working, RunKind::Erase), view, kNow + 1min).kind == Kind::Hold);
  view.silent = 3s;
  view.restarted = true;
  for (const auto kind : {RunKind::Install, RunKind::Erase}) {
    const auto again = step(run_in(RunPhase::Working, kind), view, kNow + 1min);
    CHECK(again.kind == Kind::Again);
    CHECK(again.reason.find("started again") != std::string::npos);
  }
  view.told = Told::Finished;  // its last word came first
  CHECK(step(run_in(RunPhase::Working, RunKind::Install), view, kNow + 1min).kind == Kind::AskSsh);
}

TEST_CASE("power-off is sent once in a phase, waited for, and then the attempt is lost") {
  auto run = run_in(RunPhase::Prepare);
  const RunView on{.power = power(PowerState::On), .intent_pushed = true};
  CHECK(step(run, on, kNow + 10h).kind == Kind::PowerOff);  // however long something refused before
  run.powered = kNow + 10h;
  CHECK(step(run, on, kNow + 10h + kPolicy.power_deadline).kind == Kind::Wait);
  CHECK(step(run, on, kNow + 10h + kPolicy.power_deadline + 1ms).kind == Kind::Again);
  run.attempt = kPolicy.most_attempts;
  CHECK(step(run, on, kNow + 10h + kPolicy.power_deadline + 1ms).kind == Kind::Hold);
}

TEST_CASE("attempts are limited") {
  auto run = run_in(RunPhase::Booting);
  const RunView view{.power = power(PowerState::On), .intent_pushed = true};
  run.attempt = kPolicy.most_attempts - 1;
  CHECK(step(run, view, kNow + 1h).kind == Kind::Again);
  run.attempt = kPolicy.most_attempts;
  CHECK(step(run, view, kNow + 1h).kind == Kind::Hold);
}

TEST_CASE("a machine that goes off in the middle is begun again, not waited for") {
  const RunView off{.power = power(PowerState::Off), .intent_pushed = true, .told = Told::Working};
  CHECK(step(run_in(RunPhase::Working), off).kind == Kind::Again);
  const RunView lost{.power = power(PowerState::Off), .intent_pushed = true};
  CHECK(step(run_in(RunPhase::Booting), lost).kind == Kind::Wait);
  CHECK(step(run_in(RunPhase::Booting), lost, kNow + 1min).kind == Kind::Again);
}

TEST_CASE("what the installer refused is held, and says why") {
  for (const auto phase : {RunPhase::Booting, RunPhase::Working}) {
    const RunView view{.power = power(PowerState::Off), .told = Told::Failed, .message = "two disks match"};
    const auto held = step(run_in(phase), view);
    CHECK(held.kind == Kind::Hold);
    CHECK(held.reason.find("two disks match") != std::string::npos);
  }
  const RunView stranger{.power = power(PowerState::On), .ssh = SshAnswer::OtherKey};
  CHECK(step(run_in(RunPhase::Handover), stranger).kind == Kind::Hold);
}

TEST_CASE("a machine that loses power on the way to its disk is switched on again, until the deadline") {
  RunView view{.power = power(PowerState::Off), .ssh = SshAnswer::Silent};
  const auto run = run_in(RunPhase::Handover);
  CHECK(step(run, view).kind == Kind::AskSsh);
  CHECK(step(run, view, kNow + kPolicy.settle + 1s).kind == Kind::PowerOn);
  view.power = power(PowerState::On);
  CHECK(step(run, view, kNow + kPolicy.settle + 1s).kind == Kind::AskSsh);
  view.power = power(PowerState::Off);
  CHECK(step(run, view, kNow + kPolicy.handover_deadline + 1s).kind == Kind::Hold);
}
