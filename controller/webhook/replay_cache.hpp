// Deliveries that were seen: a genuine one that comes again asks for nothing new.
// Bounded in number and age; the oldest goes first. Thread rule: safe from any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <unordered_set>
#include <utility>

#include "core/time.hpp"

namespace nimbus::controller {

class ReplayCache {
 public:
  static constexpr std::size_t kMost = 10'000;
  static constexpr std::chrono::hours kAge{24};
  static constexpr std::size_t kMostIdBytes = 256;  // a longer id is cut

  /// Notes a delivery; false if it was there before.
  bool is_new(std::string id, MonoTime now) {
    if (id.size() > kMostIdBytes) id.resize(kMostIdBytes);
    const std::lock_guard lock(mutex_);
    while (!order_.empty() && (order_.size() >= kMost || now - order_.front().first >= kAge)) {
      known_.erase(order_.front().second);
      order_.pop_front();
    }
    if (!known_.insert(id).second) return false;
    order_.emplace_back(now, std::move(id));
    return true;
  }

 private:
  std::mutex mutex_;
  std::unordered_set<std::string> known_;
  std::deque<std::pair<MonoTime, std::string>> order_;  // oldest first
};

}  // namespace nimbus::controller
