#include "controller/work/vitals.hpp"

namespace nimbus::controller {
namespace {

constexpr std::array<const char*, 2> kNames = {"looking at the registry", "publishing status"};
constexpr std::array<const char*, 2> kSubjects = {"machine", "host"};

}  // namespace

void Vitals::back_by(Part part, MonoTime by) {
  const std::lock_guard lock(mutex_);
  promised_.at(static_cast<std::size_t>(part)) = by;
}

void Vitals::over(Part part) {
  const std::lock_guard lock(mutex_);
  promised_.at(static_cast<std::size_t>(part)).reset();
}

void Vitals::step_ended(Work work, MonoTime now) {
  const std::lock_guard lock(mutex_);
  last_step_.at(static_cast<std::size_t>(work)) = now;
}

std::string Vitals::standstill(MonoTime now, const std::vector<Due>& due) const {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < promised_.size(); ++i) {
    if (promised_[i] && now > *promised_[i] + kGrace) return std::string(kNames[i]) + " has not gone on in time";
  }
  for (const auto& each : due) {
    const auto kind = static_cast<std::size_t>(each.work);
    // A step ends within its limit; a second one may have begun just before.
    const auto limit = 2 * each.step_limit + kGrace;
    if (each.longest <= limit || now - last_step_.at(kind) <= limit) continue;
    return std::string("no ") + kSubjects.at(kind) + " has been looked at although some wait";
  }
  return {};
}

}  // namespace nimbus::controller
