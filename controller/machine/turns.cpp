#include "controller/machine/turns.hpp"

#include <utility>

namespace nimbus::controller {
namespace {

NotNow wait_a_turn(std::string reason, WallTime again) {
  return {.decision = {.kind = reconcilers::PowerDecision::Kind::Wait,
                       .action = {},
                       .reason = std::move(reason),
                       .look_again = again},
          .refusal = {}};
}

}  // namespace

std::optional<NotNow> restart_turn(const std::string& machine, const Instance& instance, const Policy& policy,
                                   const DisruptionTools& tools, WallTime now) {
  const auto why = closed(policy, instance.windows, now, tools.zones);
  if (!why.empty()) {
    const Refusal refusal{"Window", "restart " + why};
    return NotNow{.decision = {.kind = reconcilers::PowerDecision::Kind::Wait,
                               .action = {},
                               .reason = refusal.message,
                               .look_again = {}},
                  .refusal = refusal};
  }
  if (tools.reboots == nullptr || tools.reboots->begin(machine, most_rebooting(policy))) return std::nullopt;
  return wait_a_turn("the restart waits its turn: as many machines reboot as may", now + std::chrono::seconds(5));
}

std::optional<NotNow> power_on_turn(const Policy& policy, const DisruptionTools& tools, WallTime now) {
  if (tools.pace == nullptr) return std::nullopt;
  const auto again = tools.pace->take(policy.disruption.power_on_per_minute, now);
  if (!again) return std::nullopt;
  return wait_a_turn("power-on waits its turn: power_on_per_minute", *again);
}

}  // namespace nimbus::controller
