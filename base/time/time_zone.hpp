// A time zone of the system's IANA database, read from its compiled file (TZif,
// RFC 8536, section 3). The C library's own conversion knows one zone per process.
//
// Only the table of transitions is used: Debian's files list them until 2037; later
// times count as the last one listed. Thread rule: immutable; safe from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"

namespace nimbus::base {

class TimeZone {
 public:
  /// Errors: Invalid (no name of the database), NotFound, Corrupt.
  static Result<TimeZone> load(const std::string& name);
  /// The bytes of a TZif file of version 2 or later. Errors: Corrupt.
  static Result<TimeZone> parse(std::string_view bytes);

  /// Local time minus UTC at `time`.
  std::chrono::seconds offset_at(WallTime time) const noexcept;

 private:
  std::vector<std::int64_t> from_;     // seconds since 1970, ascending
  std::vector<std::int32_t> offsets_;  // of from_[i] on
  std::int32_t first_ = 0;             // before from_[0]
};

}  // namespace nimbus::base
