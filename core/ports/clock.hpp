// The clock port: time is injected, so that decisions and waits can be tested.
#pragma once

#include "core/time.hpp"

namespace nimbus {

/// Thread rule: safe from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual MonoTime now() const noexcept = 0;
  virtual WallTime wall() const noexcept = 0;
};

}  // namespace nimbus
