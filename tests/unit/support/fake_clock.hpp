// A clock that stands still until told otherwise. Thread rule: safe from any thread.
#pragma once

#include <atomic>
#include <chrono>

#include "core/ports/clock.hpp"

namespace nimbus::testing {

class FakeClock final : public Clock {
 public:
  MonoTime now() const noexcept override { return MonoTime{} + std::chrono::hours(1) + passed(); }
  WallTime wall() const noexcept override {
    return WallTime{std::chrono::milliseconds{1'800'000'000'000}} + passed() +
           std::chrono::milliseconds{set_ms_.load()};
  }
  void advance(std::chrono::milliseconds by) noexcept { passed_ms_ += by.count(); }
  /// Somebody sets the time of day: forward, or back.
  void set_wall(std::chrono::milliseconds by) noexcept { set_ms_ += by.count(); }

 private:
  std::chrono::milliseconds passed() const noexcept { return std::chrono::milliseconds{passed_ms_.load()}; }
  std::atomic<long long> passed_ms_{0}, set_ms_{0};
};

}  // namespace nimbus::testing
