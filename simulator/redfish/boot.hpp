// The Boot object of a system: reading and writing the override and the boot order (DSP2046,
// ComputerSystem, Boot), with the vendors' ways of getting it wrong.
#pragma once

#include "simulator/redfish/routes.hpp"

namespace nimbus::simulator::redfish {

/// What a resource shows: of a System as it is now, of its settings resource as the next boot will find it.
enum class BootView : std::uint8_t { Now, NowWithoutOverride, Next, NextOrderOnly };
Json boot_document(const Call& call, BootView view);

/// Whether the order is written to the settings resource, and has effect with the next boot.
bool order_in_settings(const Quirks& quirks);

/// Writes what `boot` says. A refusal, and then nothing was changed, or nothing if it was taken
/// (which does not mean that it was done: some services lie).
enum class BootWrite : std::uint8_t { Direct, Settings };
std::optional<Response> write_boot(Call& call, const Json& boot, BootWrite where);

/// References of BootOptions, in this order.
Json boot_order_json(const BootOrder& order);
/// All of what can be booted, each once, or a refusal.
std::optional<Response> parse_boot_order(const Call& call, const Json& value, BootOrder& wanted);

}  // namespace nimbus::simulator::redfish
