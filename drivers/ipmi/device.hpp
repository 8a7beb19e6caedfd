// Questions that every BMC answers: power, GUID, FRU inventory. Each function is
// one or a few commands on a Client. Thread rule: as Client.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/call.hpp"
#include "core/power.hpp"
#include "core/result.hpp"
#include "drivers/ipmi/client.hpp"
#include "drivers/ipmi/fru.hpp"
#include "drivers/ipmi/guid.hpp"

namespace nimbus::ipmi {

/// Get Chassis Status, section 28.2.
Request chassis_status_request();
/// Errors: Corrupt (no state in it).
Result<PowerState> parse_chassis_status(Bytes data);

/// Chassis Control, section 28.3.
Request chassis_control_request(PowerAction action);
/// Whether a control that had no answer may be sent again: on and off only say where
/// to go; a second reset is a second reset, and a second press of the power button
/// may mean something else to the operating system.
Repeat repeat_of(PowerAction action) noexcept;

/// Nothing if the BMC has none.
Result<std::optional<Guid>> read_guid(Client& client, const Call& call);

/// The areas of FRU 0; those that are absent or malformed are left out. Nothing if
/// the BMC keeps no inventory.
Result<std::optional<Fru>> read_fru(Client& client, const Call& call);

}  // namespace nimbus::ipmi
