// What status says of a machine, from what the last pass found. Pure.
//
// Only what has a meaning for people changes the document: no measurements, no
// counters, no "looked at again". What the earlier document knew and this pass could
// not see (identity, installed, claim, erase records, times) is kept.
#pragma once

#include <optional>
#include <string>

#include "controller/fleet/facts.hpp"
#include "core/time.hpp"
#include "registry/status/machine_status.hpp"

namespace nimbus::controller {

registry::MachineStatus describe(const MachineFacts& facts, const std::optional<registry::MachineStatus>& before,
                                 WallTime now);

/// The machine is no longer in the registry: nothing more is written to it.
registry::MachineStatus describe_unmanaged(const registry::MachineStatus& before, WallTime now);

/// What happened between two documents, for a commit's subject: "power-on",
/// "unreachable", …; empty if nothing worth a word.
std::string headline(const std::optional<registry::MachineStatus>& before, const registry::MachineStatus& after);

}  // namespace nimbus::controller
