#include "reconcilers/power/decide.hpp"

#include <doctest/doctest.h>

#include <array>
#include <random>

using namespace nimbus;
using namespace nimbus::reconcilers;
using namespace std::chrono_literals;
using Kind = PowerDecision::Kind;

namespace {

const WallTime kNow{std::chrono::milliseconds{1'800'000'000'000}};
const PowerPolicy kPolicy{};

Observed<PowerState> seen(PowerState state) { return Observed<PowerState>::known(state, kNow); }

PowerDecision decide(WantedPower wanted, PowerState state, const PowerHistory& history = {},
                     Enforcement enforcement = Enforcement::Enforce) {
  return decide_power(wanted, enforcement, seen(state), history, kPolicy, kNow);
}

}  // namespace

TEST_CASE("power: the table") {
  struct Row {
    WantedPower wanted;
    PowerState state;
    Enforcement enforcement;
    Kind kind;
    PowerAction action;
  };
  using W = WantedPower;
  using S = PowerState;
  using E = Enforcement;
  const Row rows[] = {
      {W::Unmanaged, S::Off, E::Enforce, Kind::Nothing, {}},
      {W::Unmanaged, S::On, E::Enforce, Kind::Nothing, {}},
      {W::Unmanaged, S::PoweringOn, E::Enforce, Kind::Nothing, {}},
      {W::On, S::On, E::Enforce, Kind::Nothing, {}},
      {W::On, S::Off, E::Enforce, Kind::Act, PowerAction::On},
      {W::On, S::Off, E::Observe, Kind::Report, {}},
      {W::On, S::PoweringOn, E::Enforce, Kind::Wait, {}},
      {W::On, S::PoweringOff, E::Enforce, Kind::Wait, {}},
      {W::Off, S::Off, E::Enforce, Kind::Nothing, {}},
      {W::Off, S::On, E::Enforce, Kind::Act, PowerAction::SoftOff},
      {W::Off, S::On, E::Observe, Kind::Report, {}},
      {W::Off, S::PoweringOff, E::Enforce, Kind::Wait, {}},
  };
  for (const auto& row : rows) {
    const auto decision = decide(row.wanted, row.state, {}, row.enforcement);
    CAPTURE(to_string(row.wanted));
    CAPTURE(to_string(row.state));
    CHECK(decision.kind == row.kind);
    if (row.kind == Kind::Act) CHECK(decision.action == row.action);
    CHECK(!decision.reason.empty());
  }
}

TEST_CASE("power: what could not be read is never acted upon") {
  for (const auto wanted : {WantedPower::On, WantedPower::Off}) {
    const auto decision =
        decide_power(wanted, Enforcement::Enforce, Observed<PowerState>::unknown("no answer"), {}, kPolicy, kNow);
    CHECK(decision.kind == Kind::Unknown);
    CHECK(decision.reason == "no answer");
  }
}

TEST_CASE("power: an action is not repeated before the BMC had time to show it") {
  PowerHistory history{.last = PowerHistory::Attempt{PowerAction::On, kNow - 5s}, .attempts = 1};
  CHECK(decide(WantedPower::On, PowerState::Off, history).kind == Kind::Wait);
  history.last->at = kNow - kPolicy.settle;
  CHECK(decide(WantedPower::On, PowerState::Off, history).kind == Kind::Act);
}

TEST_CASE("power: an action towards the other goal does not delay this one") {
  const PowerHistory history{.last = PowerHistory::Attempt{PowerAction::On, kNow - 1s}, .attempts = 0};
  CHECK(decide(WantedPower::Off, PowerState::On, history).kind == Kind::Act);
}

TEST_CASE("power: soft, then hard after the deadline, and no sooner") {
  PowerHistory history{.last = PowerHistory::Attempt{PowerAction::SoftOff, kNow - 60s}, .attempts = 1};
  CHECK(decide(WantedPower::Off, PowerState::On, history).kind == Kind::Wait);
  history.last->at = kNow - kPolicy.soft_off_deadline;
  const auto decision = decide(WantedPower::Off, PowerState::On, history);
  CHECK(decision.kind == Kind::Act);
  CHECK(decision.action == PowerAction::HardOff);
}

TEST_CASE("power: a machine that does not obey, or that somebody keeps switching, is held") {
  PowerHistory history{.last = PowerHistory::Attempt{PowerAction::On, kNow - 60s}, .attempts = 3};
  CHECK(decide(WantedPower::On, PowerState::Off, history).kind == Kind::Hold);
  history.last.reset();
  CHECK(decide(WantedPower::On, PowerState::Off, history).kind == Kind::Hold);
  history.attempts = 2;
  CHECK(decide(WantedPower::On, PowerState::Off, history).kind == Kind::Act);
}

TEST_CASE("power: an endless transition is held") {
  PowerHistory history{.transition_since = kNow - kPolicy.transition_deadline};
  CHECK(decide(WantedPower::On, PowerState::PoweringOn, history).kind == Kind::Hold);
  history.transition_since = kNow - 1s;
  CHECK(decide(WantedPower::On, PowerState::PoweringOn, history).kind == Kind::Wait);
}

TEST_CASE("power: a clock that went backwards does not block for ever") {
  const PowerHistory history{.last = PowerHistory::Attempt{PowerAction::On, kNow + 24h}, .attempts = 1};
  CHECK(decide(WantedPower::On, PowerState::Off, history).kind == Kind::Act);
}

TEST_CASE("power: laws, over generated states") {
  std::mt19937 random(4711);  // NOLINT: reproducible on purpose
  const auto pick = [&](auto... options) {
    const std::array values{options...};
    return values[random() % values.size()];
  };
  for (int round = 0; round < 20'000; ++round) {
    const auto wanted = pick(WantedPower::Unmanaged, WantedPower::On, WantedPower::Off);
    const auto enforcement = pick(Enforcement::Observe, Enforcement::Enforce);
    auto state = pick(PowerState::On, PowerState::Off, PowerState::PoweringOn, PowerState::PoweringOff);
    PowerHistory history;
    history.attempts = static_cast<int>(random() % 5);
    if (random() % 2 == 0) {
      history.last = PowerHistory::Attempt{pick(PowerAction::On, PowerAction::SoftOff, PowerAction::HardOff),
                                           kNow - std::chrono::seconds(random() % 2000)};
    }
    const auto decision = decide(wanted, state, history, enforcement);
    // Deterministic.
    REQUIRE(decide(wanted, state, history, enforcement) == decision);
    // Observe never acts.
    if (enforcement == Enforcement::Observe) REQUIRE(decision.kind != Kind::Act);
    // First law: converged decides nothing.
    const bool converged = wanted == WantedPower::Unmanaged || (wanted == WantedPower::On && state == PowerState::On) ||
                           (wanted == WantedPower::Off && state == PowerState::Off);
    REQUIRE((decision.kind == Kind::Nothing) == converged);
    // Second law: after the action took effect, nothing.
    if (decision.kind == Kind::Act) {
      history.last = PowerHistory::Attempt{decision.action, kNow};
      history.attempts += 1;
      state = decision.action == PowerAction::On ? PowerState::On : PowerState::Off;
      REQUIRE(decide(wanted, state, history, enforcement).kind == Kind::Nothing);
    }
    if (decision.kind == Kind::Wait) REQUIRE(decision.look_again.has_value());
  }
}
