#include "controller/install/limits.hpp"

#include <algorithm>

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
    const auto recent = std::count_if(load.destructions.begin(), load.destructions.end(),
                                      [&](WallTime at) { return now - at < rule.per; });
    if (recent >= most) {
      return std::to_string(recent) + " releases and reinstalls began lately, and policy/limits.toml allows " +
             std::to_string(most) + "; it waits until the oldest is far enough back";
    }
  }
  return {};
}

}  // namespace nimbus::controller
