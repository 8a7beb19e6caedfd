// EventLog: the system event log, one for both protocols. Records have the 16 bytes
// of an IPMI SEL record (IPMI 2.0, table 32-1); Redfish shows the same records.
//
// When full, new records are refused, as the usual BMC does until it is cleared.
// Thread rule: one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/time.hpp"

namespace nimbus::simulator {

/// One sensor event, in IPMI's numbers.
struct SensorEvent {
  std::uint8_t sensor_type = 0;  // table 42-3
  std::uint8_t sensor_number = 0;
  std::uint8_t event_type = 0x6f;  // bit 7: deassertion; 1: threshold; 0x6f: sensor specific
  std::array<std::uint8_t, 3> data{0, 0xff, 0xff};
};

struct LogRecord {
  std::uint16_t id = 0;
  WallTime at{};
  std::array<std::uint8_t, 16> bytes{};  // with id and time filled in
};

class EventLog {
 public:
  static constexpr std::size_t kCapacity = 512;

  /// Nothing when the log is full; then the overflow flag is set.
  std::optional<std::uint16_t> add(const SensorEvent& event, WallTime at);
  /// A record as a client wrote it: id is assigned, and the time for types below 0xe0.
  std::optional<std::uint16_t> add_raw(const std::array<std::uint8_t, 16>& bytes, WallTime at);
  bool remove(std::uint16_t id, WallTime at);
  void clear(WallTime at);

  const std::vector<LogRecord>& records() const noexcept { return records_; }
  bool overflowed() const noexcept { return overflowed_; }
  WallTime last_addition() const noexcept { return last_addition_; }
  WallTime last_erase() const noexcept { return last_erase_; }

 private:
  std::vector<LogRecord> records_;
  std::uint16_t next_id_ = 1;
  bool overflowed_ = false;
  WallTime last_addition_{};
  WallTime last_erase_{};
};

}  // namespace nimbus::simulator
