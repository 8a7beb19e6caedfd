// Turns: whether what disrupts may happen now, beside what else happens at the provider.
// Thread rule: safe from any thread, as the budgets are.
#pragma once

#include <optional>
#include <string>

#include "controller/guard/policy.hpp"
#include "controller/machine/disruption.hpp"
#include "controller/machine/guard.hpp"
#include "core/desired/instance.hpp"
#include "reconcilers/power/decide.hpp"

namespace nimbus::controller {

struct NotNow {
  reconcilers::PowerDecision decision;  // a wait, and why
  std::optional<Refusal> refusal;       // of a rule that people made; nothing: its turn comes
};

/// Whether a restart of the instance may begin: windows, and how many machines reboot.
/// Nothing: it may, and counts as begun.
std::optional<NotNow> restart_turn(const std::string& machine, const Instance& instance, const Policy& policy,
                                   const DisruptionTools& tools, WallTime now);

/// Not more power-ons per minute than the power feeds take. Nothing: it may, and counts.
std::optional<NotNow> power_on_turn(const Policy& policy, const DisruptionTools& tools, WallTime now);

}  // namespace nimbus::controller
