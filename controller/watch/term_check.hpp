// Is the term still ours? Asked before every write to a device.
//
// A controller that was stopped (SIGSTOP, a suspended virtual machine, a long swap)
// wakes up believing that it is in charge. So the status branch is looked at right
// before a write, unless it was a moment ago: one exchange serves all writes of that
// moment. A forge that does not answer does not stop power actions; it is not asked
// again for a while.
//
// Thread rule: safe from any thread; callers wait for the one that asks.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>

#include "controller/machine/guard.hpp"
#include "core/call.hpp"
#include "core/ports/clock.hpp"
#include "core/result.hpp"

namespace nimbus::controller {

class TermCheck {
 public:
  struct Tools {
    std::function<Authority()> authority;          // as known here
    std::function<Result<>(const Call&)> verify;   // asks the forge; updates what is known
  };
  struct Limits {
    std::chrono::milliseconds fresh{2'000};      // an answer this old is good enough
    std::chrono::milliseconds deadline{5'000};   // of one exchange
    std::chrono::milliseconds give_up{30'000};   // after a failure, before asking again
  };

  TermCheck(const Clock& clock, Tools tools, Limits limits) : clock_(clock), tools_(std::move(tools)), limits_(limits) {}

  Authority confirm() {
    const Authority known = tools_.authority();
    if (known.state != Authority::State::Held) return known;
    const std::lock_guard lock(mutex_);
    const MonoTime now = clock_.now();
    if (!next_ || now >= *next_) {
      const auto verified = tools_.verify({now + limits_.deadline});
      next_ = clock_.now() + (verified ? limits_.fresh : limits_.give_up);
    }
    return tools_.authority();
  }

 private:
  const Clock& clock_;
  const Tools tools_;
  const Limits limits_;
  std::mutex mutex_;
  std::optional<MonoTime> next_;  // when to ask again
};

}  // namespace nimbus::controller
