// The machine's clocks behind the Clock port, and times as text.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "core/ports/clock.hpp"
#include "core/time.hpp"

namespace nimbus::base {

class SystemClock final : public Clock {
 public:
  MonoTime now() const noexcept override { return std::chrono::steady_clock::now(); }
  WallTime wall() const noexcept override;
};

/// "2026-11-23T10:00:00Z": RFC 3339 in UTC, whole seconds.
std::string to_rfc3339(WallTime time);
/// Accepts an offset and a fraction; nothing for anything else.
std::optional<WallTime> from_rfc3339(std::string_view text);

/// "30s", "5m", "2h", "7d", "250ms": a positive whole number and one unit.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
/// The shortest such text for a duration.
std::string to_duration_text(std::chrono::milliseconds duration);

}  // namespace nimbus::base
