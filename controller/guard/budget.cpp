#include "controller/guard/budget.hpp"

#include <algorithm>

namespace nimbus::controller {
namespace {

constexpr std::chrono::minutes kMinute{1};

std::optional<std::int64_t> tighter(std::optional<std::int64_t> a, std::optional<std::int64_t> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

}  // namespace

void PowerOnPace::recall(const std::vector<WallTime>& started) {
  const std::lock_guard lock(mutex_);
  started_.insert(started_.end(), started.begin(), started.end());
  std::ranges::sort(started_);
}

std::optional<WallTime> PowerOnPace::take(std::optional<std::int64_t> per_minute, WallTime now) {
  const std::lock_guard lock(mutex_);
  // One from the future (the clock went back) would block for as long as the jump.
  std::erase_if(started_, [&](WallTime at) { return at > now || now - at >= kMinute; });
  if (per_minute && static_cast<std::int64_t>(started_.size()) >= *per_minute) return started_.front() + kMinute;
  started_.push_back(now);
  return std::nullopt;
}

bool RebootBudget::begin(const std::string& machine, std::optional<std::int64_t> most) {
  const std::lock_guard lock(mutex_);
  if (rebooting_.contains(machine)) return true;
  if (most && static_cast<std::int64_t>(rebooting_.size()) >= *most) return false;
  rebooting_.insert(machine);
  return true;
}

void RebootBudget::end(const std::string& machine) {
  const std::lock_guard lock(mutex_);
  rebooting_.erase(machine);
}

std::optional<std::int64_t> most_rebooting(const Policy& policy) {
  auto most = policy.disruption.machines_rebooting;
  for (const auto& limits : policy.limits) most = tighter(most, limits.disruption.machines_rebooting);
  return most;
}

}  // namespace nimbus::controller
