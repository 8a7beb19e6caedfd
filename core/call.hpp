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

  /// Time left, never negative.
  std::chrono::milliseconds remaining(MonoTime now) const noexcept {
    if (now >= deadline) return std::chrono::milliseconds{0};
    return std::chrono::ceil<std::chrono::milliseconds>(deadline - now);
  }
};

}  // namespace nimbus
