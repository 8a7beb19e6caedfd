// When to look at a machine again. Pure, apart from the jitter that is given.
#pragma once

#include <chrono>

#include "controller/machine/pass.hpp"

namespace nimbus::controller {

struct CadenceLimits {
  std::chrono::milliseconds observe;     // steady state
  std::chrono::milliseconds retry_most;  // longest back-off
};

/// `jitter` in [0, 1): spreads machines that would otherwise be looked at together.
/// `failures`: passes in a row in which the BMC could not be read.
std::chrono::milliseconds next_look(const MachineReport& report, int failures, const CadenceLimits& limits,
                                    WallTime now, double jitter);

}  // namespace nimbus::controller
