// How much may happen at once, for installs and for what destroys. Pure.
#pragma once

#include <string>
#include <vector>

#include "controller/fleet/accepted.hpp"
#include "core/time.hpp"

namespace nimbus::controller {

/// What the other machines do and did.
struct LifeLoad {
  int installing = 0;                  // runs that have the machine switched for them
  std::vector<WallTime> destructions;  // releases and reinstalls: when they began
  std::size_t machines = 0;            // of the provider
};

/// Why another install or erasure may not begin now; empty: it may. All limits hold at
/// once, the provider's own too.
std::string installing_limit(const Policy& policy, const LifeLoad& load);

/// Why another release or reinstall may not begin now; empty: it may. The smaller of
/// count and percent, at least one, within the policy's time; counted over commits: forty of
/// one wipe each do not slip through.
std::string destructive_limit(const Policy& policy, const LifeLoad& load, WallTime now);

}  // namespace nimbus::controller
