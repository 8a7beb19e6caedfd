// Which ResetType brings an action about (DSP2046, Resource.ResetType).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/power.hpp"

namespace nimbus::redfish {

/// The first that the BMC allows; the usual one if it says nothing. Nothing if none
/// fits. Never a toggle (PushPowerButton), and never a restart for On: on an Off
/// machine some BMCs refuse it, others turn the machine on.
std::optional<std::string> choose_reset_type(PowerAction action, const std::vector<std::string>& allowable);

/// The same for a restart of the BMC itself: graceful if it can.
std::optional<std::string> choose_restart_type(const std::vector<std::string>& allowable);

}  // namespace nimbus::redfish
