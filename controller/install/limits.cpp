#include "controller/install/limits.hpp"

#include <algorithm>
#include <iterator>

#include "base/time/time.hpp"

namespace nimbus::controller {

std::string installing_limit(const Policy& policy, const LifeLoad& load) {
  auto most = policy.disruption.machines_installing;
  for (const auto& limits : policy.limits) {
    const auto& own = limits.disruption.machines_installing;
    if (own && (!most || *own < *most)) most = own;
  }
  if (!most || load.installing < *most) return {};
  return std::to_string(load.installing) + " machines are being installed or erased, and machines_installing is " +
         std::to_string(*most);
}

std::string destructive_limit(const Policy& policy, const LifeLoad& load, WallTime now) {
  for (const auto& limits : policy.limits) {
    const auto& rule = limits.destructive;
    const auto percent = static_cast<std::int64_t>(load.machines) * rule.percent / 100;
    const auto most = std::max<std::int64_t>(1, std::min(rule.count, percent));
    std::vector<WallTime> recent;
    std::copy_if(load.destructions.begin(), load.destructions.end(), std::back_inserter(recent),
                 [&](WallTime at) { return now - at < rule.per; });
    const auto count = static_cast<std::int64_t>(recent.size());
    if (count < most) continue;
    // The oldest of the last `most` leaves the period first.
    const auto oldest = recent.end() - most;
    std::nth_element(recent.begin(), oldest, recent.end());
    return std::to_string(count) +
           " releases and reinstalls began lately, and [destructive] of policy/limits.toml allows " +
           std::to_string(most) + " in " +
           std::to_string(std::chrono::duration_cast<std::chrono::hours>(rule.per).count()) + " h; it waits until " +
           base::to_rfc3339(*oldest + rule.per);
  }
  return {};
}

}  // namespace nimbus::controller
