// Random: a small seeded generator, so that a run can be repeated. Not for keys.
// Thread rule: a plain value.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace nimbus::simulator {

/// A span of time that an event takes: drawn evenly between the two.
struct DurationRange {
  std::chrono::milliseconds least{0};
  std::chrono::milliseconds most{0};
  friend bool operator==(const DurationRange&, const DurationRange&) = default;
};

class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(seed) {}

  std::uint64_t next() noexcept;
  /// 0 … bound-1; 0 for a bound of 0.
  std::uint64_t below(std::uint64_t bound) noexcept;
  /// True in `percent` of the cases.
  bool chance(double percent) noexcept;
  std::chrono::milliseconds draw(const DurationRange& range) noexcept;

 private:
  std::uint64_t state_;
};

/// A number that depends on the text and the seed only: for what must be the same in
/// every run and different for every machine (serial numbers, MAC addresses).
std::uint64_t stable_hash(std::uint64_t seed, std::string_view text) noexcept;

}  // namespace nimbus::simulator
