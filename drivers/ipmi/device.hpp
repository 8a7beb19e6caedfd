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

/// Get Device ID, section 20.1.
struct DeviceId {
  std::uint32_t manufacturer = 0;  // IANA enterprise number; 0: not told
  std::uint16_t product = 0;
  std::uint8_t major = 0;
  std::uint8_t minor = 0;                  // BCD
  std::optional<std::uint32_t> auxiliary;  // maker's own, as the bytes stand

  friend bool operator==(const DeviceId&, const DeviceId&) = default;
};
Request device_id_request();
/// Errors: Corrupt.
Result<DeviceId> parse_device_id(Bytes data);
/// Asks for the maker once per session, on the present one, and adds its quirks. A BMC
/// that does not tell has none. Errors: as Client::ask_present().
Result<> learn_from_device_id(Client& client, const Call& call);

/// Nothing if the BMC has none.
Result<std::optional<Guid>> read_guid(Client& client, const Call& call);

inline constexpr std::uint8_t kMachineFru = 0;
/// Identity needs the areas alone and is read before each write.
enum class FruParts : std::uint8_t { Areas, AreasAndRecords };
/// The areas of one inventory device, and its records; those that are absent or malformed are left
/// out. Nothing if the BMC keeps no inventory.
Result<std::optional<Fru>> read_fru(Client& client, std::uint8_t device, FruParts parts, const Call& call);

}  // namespace nimbus::ipmi
