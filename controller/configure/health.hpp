// What is the matter with a host, whatever is declared: from the health that its probe told.
// Pure.
//
// Words that stay the same while the trouble does: no measurement, so status changes when
// something happened, and never because a number did. What is near a limit does not come and
// go: a trouble ends only well on the other side of where it begins.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/host/facts.hpp"

namespace nimbus::controller {

struct HostTrouble {
  enum class Kind : std::uint8_t { DiskFull, FailedUnit, ClockOff, MemoryLow, RestartDue };
  Kind kind = Kind::DiskFull;
  std::string what;  // a path, a unit; else empty
  friend bool operator==(const HostTrouble&, const HostTrouble&) = default;
};

/// Begins when available is below, ends when it is not below the second: of the size.
inline constexpr double kDiskFull = 0.05, kDiskWell = 0.07;
inline constexpr double kMemoryLow = 0.05, kMemoryWell = 0.10;
/// Seconds; as the alert rule.
inline constexpr double kClockOff = 5, kClockWell = 2;

/// `before`: of the last look. What was not told is no trouble. Load is none either: what is
/// much for a host only its owner knows, and metrics tell it.
std::vector<HostTrouble> troubles_of(const host::Health& health, const std::vector<HostTrouble>& before);

/// "DiskFull", of the first and worst; "Well" if there is none.
std::string reason_of(const std::vector<HostTrouble>& troubles);
/// For people: "nearly full: /var; failed units: a.service"; empty if there is none.
std::string text_of(const std::vector<HostTrouble>& troubles);

}  // namespace nimbus::controller
