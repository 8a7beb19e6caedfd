// The Boot object of a system: reading and writing the override (DSP2046,
// ComputerSystem, Boot), with the vendors' ways of getting it wrong.
#pragma once

#include "simulator/redfish/routes.hpp"

namespace nimbus::simulator::redfish {

enum class BootView : std::uint8_t { Full, WithoutOverride };
Json boot_document(const Call& call, BootView view);

/// Writes what `boot` says. A refusal, or nothing if it was taken (which does not mean
/// that it was done: some services lie).
std::optional<Response> write_boot(Call& call, const Json& boot);

}  // namespace nimbus::simulator::redfish
