// A machine's true state and its journal as JSON: what a test compares with what a
// client believes. Holds no passwords.
#pragma once

#include "base/json/json.hpp"
#include "simulator/model/machine.hpp"

namespace nimbus::simulator {

base::Json state_of(const Machine& machine);
/// Entries with a number above `after`, oldest first.
base::Json journal_of(const Machine& machine, std::uint64_t after);

}  // namespace nimbus::simulator
