#include "controller/work/vitals.hpp"

namespace nimbus::controller {
namespace {

constexpr std::array<const char*, 2> kNames = {"looking at the registry", "publishing status"};

}  // namespace

void Vitals::back_by(Part part, MonoTime by) {
  const std::lock_guard lock(mutex_);
  promised_.at(static_cast<std::size_t>(part)) = by;
}

void Vitals::over(Part part) {
  const std::lock_guard lock(mutex_);
  promised_.at(static_cast<std::size_t>(part)).reset();
}

void Vitals::pass_ended(MonoTime now) {
  const std::lock_guard lock(mutex_);
  last_pass_ = now;
}

std::string Vitals::standstill(MonoTime now, std::chrono::milliseconds waited,
                               std::chrono::milliseconds pass_limit) const {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < promised_.size(); ++i) {
    if (promised_[i] && now > *promised_[i] + kGrace) return std::string(kNames[i]) + " has not gone on in time";
  }
  // A pass ends within its limit; a second one may have begun just before.
  const auto limit = 2 * pass_limit + kGrace;
  if (waited > limit && now - last_pass_ > limit) return "no machine has been looked at although some wait";
  return {};
}

}  // namespace nimbus::controller
