// Budgets: how much may happen at once.
//
// PowerOnPace    power-ons started per minute at one provider: inrush current
// RebootBudget   machines that reboot at the same time
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "controller/guard/policy.hpp"
#include "core/time.hpp"

namespace nimbus::controller {

/// Thread rule: safe from any thread.
class PowerOnPace {
 public:
  /// What was started before, by the journal: a restart begins no new minute.
  void recall(const std::vector<WallTime>& started);

  /// Takes a turn, or says when to ask again. `per_minute` nothing: no limit.
  std::optional<WallTime> take(std::optional<std::int64_t> per_minute, WallTime now);

 private:
  std::mutex mutex_;
  std::deque<WallTime> started_;  // within the last minute, ascending
};

/// Thread rule: safe from any thread.
class RebootBudget {
 public:
  /// Whether `machine` may reboot now, as one of at most `most` at the same time
  /// (nothing: no limit). It counts until end(); asking again is harmless.
  bool begin(const std::string& machine, std::optional<std::int64_t> most);
  void end(const std::string& machine);

 private:
  std::mutex mutex_;
  std::set<std::string> rebooting_;
};

/// The tightest of what policy and provider allow; nothing: no limit.
std::optional<std::int64_t> most_rebooting(const Policy& policy);

}  // namespace nimbus::controller
