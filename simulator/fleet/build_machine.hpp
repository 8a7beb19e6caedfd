// From a machine's description to its state: identity, accounts, media, settings.
#pragma once

#include <memory>

#include "core/ports/clock.hpp"
#include "simulator/fleet/fleet_file.hpp"

namespace nimbus::simulator {

/// What the description leaves open (serial number, UUID, MAC addresses) follows from
/// the fleet's seed and the name, so that it is the same in every run. Errors: Invalid
/// (uuid or mac that cannot be read).
Result<std::unique_ptr<Machine>> build_machine(const MachineSpec& spec, std::uint64_t fleet_seed, const Clock& clock);

}  // namespace nimbus::simulator
