#include "reconcilers/power/decide.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace nimbus::reconcilers {
namespace {

using Kind = PowerDecision::Kind;

long long seconds(std::chrono::milliseconds duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

bool is_off_action(PowerAction action) noexcept {
  return action == PowerAction::SoftOff || action == PowerAction::HardOff;
}

/// The last action, if it works towards `wanted`. One from the future (the clock
/// went back) is ignored: it would block for as long as the jump.
std::optional<PowerHistory::Attempt> last_towards(WantedPower wanted, const PowerHistory& history, WallTime now) {
  if (!history.last || history.last->at > now) return std::nullopt;
  const bool off = is_off_action(history.last->action);
  return off == (wanted == WantedPower::Off) ? history.last : std::nullopt;
}

PowerDecision in_transition(PowerState state, const PowerHistory& history, const PowerPolicy& policy, WallTime now) {
  const WallTime since = history.transition_since.value_or(now);
  if (now - since >= policy.transition_deadline) {
    return {.kind = Kind::Hold,
            .reason = fmt::format("the BMC has reported \"{}\" for {} s; look at the machine", to_string(state),
                                  seconds(now - since))};
  }
  return {.kind = Kind::Wait,
          .reason = fmt::format("the BMC reports \"{}\"", to_string(state)),
          .look_again = now + std::chrono::seconds(5)};
}

PowerDecision towards_off(const std::optional<PowerHistory::Attempt>& last, const PowerPolicy& policy, WallTime now) {
  if (!last) {
    return {.kind = Kind::Act, .action = PowerAction::SoftOff, .reason = "it is on and should be off"};
  }
  if (last->action == PowerAction::SoftOff) {
    const WallTime deadline = last->at + policy.soft_off_deadline;
    if (now < deadline) {
      return {.kind = Kind::Wait,
              .reason = fmt::format("asked the operating system to shut down; the power is cut after {} s",
                                    seconds(policy.soft_off_deadline)),
              .look_again = std::min(deadline, now + std::chrono::seconds(10))};
    }
  }
  return {
      .kind = Kind::Act,
      .action = PowerAction::HardOff,
      .reason = fmt::format("the operating system did not shut down within {} s", seconds(policy.soft_off_deadline))};
}

}  // namespace

PowerDecision decide_power(WantedPower wanted, Enforcement enforcement, const Observed<PowerState>& power,
                           const PowerHistory& history, const PowerPolicy& policy, WallTime now) {
  if (!power.is_known()) return {.kind = Kind::Unknown, .reason = power.reason()};
  if (wanted == WantedPower::Unmanaged) return {.kind = Kind::Nothing, .reason = "power is not managed"};

  const PowerState state = power.value();
  const PowerState goal = wanted == WantedPower::On ? PowerState::On : PowerState::Off;
  if (state == goal) return {.kind = Kind::Nothing, .reason = fmt::format("power is {}, as wanted", to_string(goal))};

  if (enforcement == Enforcement::Observe) {
    return {.kind = Kind::Report,
            .reason = fmt::format("power is {}, the registry wants {}; enforcement = \"observe\" only reports",
                                  to_string(state), to_string(wanted))};
  }
  if (state == PowerState::PoweringOn || state == PowerState::PoweringOff) {
    return in_transition(state, history, policy, now);
  }

  const auto last = last_towards(wanted, history, now);
  if (last && now < last->at + policy.settle) {
    return {.kind = Kind::Wait,
            .reason = fmt::format("{} was sent; waiting for the BMC to show it", to_string(last->action)),
            .look_again = std::min(last->at + policy.settle, now + std::chrono::seconds(2))};
  }
  const bool shutting_down = last && last->action == PowerAction::SoftOff;
  if (history.attempts >= policy.most_attempts && !shutting_down) {
    return {.kind = Kind::Hold,
            .reason = fmt::format("tried {} times within {} s and the power is {} again; look at the machine",
                                  history.attempts, seconds(policy.attempts_window), to_string(state)),
            .look_again = now + std::chrono::seconds(60)};
  }
  if (wanted == WantedPower::On) {
    return {.kind = Kind::Act, .action = PowerAction::On, .reason = "it is off and should be on"};
  }
  return towards_off(last, policy, now);
}

}  // namespace nimbus::reconcilers
