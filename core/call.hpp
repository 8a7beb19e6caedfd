// Call: how long an operation may take, and who may stop it. Every blocking
// operation of a port takes one; the deadline is for the whole operation, with
// all of its retries, not for each read of it.
#pragma once

#include <chrono>
#include <stop_token>

#include "core/time.hpp"

namespace nimbus {

struct Call {
  MonoTime deadline;
  std::stop_token stop = {};
  /// A request that changes a device leaves before, or not at all (Code::Conflict): whoever
  /// allowed it may think otherwise by then. A process that was stopped in between
  /// (SIGSTOP, a suspended virtual machine) wakes up right here.
  MonoTime write_by = MonoTime::max();

  /// Time left, never negative.
  std::chrono::milliseconds remaining(MonoTime now) const noexcept {
    if (now >= deadline) return std::chrono::milliseconds{0};
    return std::chrono::ceil<std::chrono::milliseconds>(deadline - now);
  }
};

}  // namespace nimbus
