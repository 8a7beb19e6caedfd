// Wake: lets one thread wait for a time, a call from others, or a stop request.
// Calls that come while it does not wait are not lost; several count as one.
// Thread rule: wake() from any thread, wait() from one.
#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>

#include "core/time.hpp"

namespace nimbus::controller {

class Wake {
 public:
  void wake() {
    {
      const std::lock_guard lock(mutex_);
      called_ = true;
    }
    condition_.notify_one();
  }

  /// Returns when called, at `until`, or when `stop` was requested.
  void wait_until(MonoTime until, std::stop_token stop) {
    std::unique_lock lock(mutex_);
    condition_.wait_until(lock, stop, until, [&] { return called_; });
    called_ = false;
  }

  /// Returns when called or when `stop` was requested.
  void wait(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    condition_.wait(lock, stop, [&] { return called_; });
    called_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any condition_;
  bool called_ = false;
};

}  // namespace nimbus::controller
