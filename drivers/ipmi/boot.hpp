// Boot flags: Set and Get System Boot Options, parameters 3 and 5 (IPMI v2.0 rev
// 1.1, sections 28.12 to 28.14). The coding is pure.
//
// All five bytes of parameter 5 are always written from scratch. What a BMC holds in
// them is never carried over: an old "clear CMOS" bit would be armed again.
#pragma once

#include <array>
#include <cstdint>

#include "core/boot.hpp"
#include "core/call.hpp"
#include "core/power.hpp"
#include "core/result.hpp"
#include "drivers/ipmi/client.hpp"

namespace nimbus::ipmi {

using BootFlags = std::array<std::uint8_t, 5>;

/// The flags always carry a mode; without one in `wanted` it is UEFI. Errors:
/// Unsupported (a device that IPMI has no number for).
Result<BootFlags> encode_boot_flags(const BootOverride& wanted, const Quirks& quirks);
/// Flags that are not valid, or valid without a device, are no override. Errors:
/// Unsupported (a device that we have no word for).
Result<BootOverride> decode_boot_flags(const BootFlags& flags, const Quirks& quirks);
/// `data` is the answer to Get System Boot Options, parameter 5. Errors: Corrupt.
Result<BootFlags> parse_boot_flags(Bytes data);

/// As BmcBoot::boot_override.
Result<BootOverride> read_boot_override(Client& client, const Call& call);
/// As BmcBoot::arm_boot. Always writes, so that the 60 seconds after which a BMC may
/// forget the flags begin anew.
Result<WriteOutcome> arm_boot_flags(Client& client, const BootOverride& wanted, const Call& call);

}  // namespace nimbus::ipmi
