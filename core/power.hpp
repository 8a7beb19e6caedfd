// Power: what is seen, what is wanted, what may be done.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace nimbus {

/// What a BMC reports. The two transitional states come from Redfish
/// (DSP0268, Resource.PowerState); IPMI knows On and Off only.
enum class PowerState : std::uint8_t { Off, On, PoweringOn, PoweringOff };

/// Registry key `power` of a machine: wanted while no instance is placed on it.
enum class WantedPower : std::uint8_t { Unmanaged, On, Off };

/// Registry key `enforcement`.
enum class Enforcement : std::uint8_t { Observe, Enforce };

/// One power action on a BMC. SoftOff asks the operating system (ACPI); all
/// others are immediate. There is no toggle and no "cycle": a cycle is off,
/// observe, on, observe, so that a repeated request cannot cycle twice.
enum class PowerAction : std::uint8_t { On, SoftOff, HardOff, Reset };

/// What became of a write. A device's "ok" is not yet a fact: after Accepted
/// the state is read again.
enum class WriteOutcome : std::uint8_t {
  Accepted,   // the device took it
  AlreadySo,  // the device said that nothing is to be done
  Unknown,    // it may or may not have happened: observe before anything else
};

std::string_view to_string(PowerState state) noexcept;
std::string_view to_string(WantedPower wanted) noexcept;
std::string_view to_string(Enforcement enforcement) noexcept;
std::string_view to_string(PowerAction action) noexcept;
std::string_view to_string(WriteOutcome outcome) noexcept;

std::optional<WantedPower> parse_wanted_power(std::string_view text) noexcept;
std::optional<Enforcement> parse_enforcement(std::string_view text) noexcept;

}  // namespace nimbus
