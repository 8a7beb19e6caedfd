// MultiRecord areas of a FRU inventory (IPMI Platform Management FRU Information Storage
// Definition 1.0 rev 1.3, sections 16 to 18): what a power supply delivers, and by which names a
// part is managed. Pure; every length and checksum is verified before it is believed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/result.hpp"
#include "drivers/ipmi/wire.hpp"

namespace nimbus::ipmi {

inline constexpr std::size_t kFruRecordHeaderBytes = 5;
/// A list ends by a flag of its last record; this ends one that never sets it.
inline constexpr std::size_t kMaxFruRecords = 64;

/// Section 16.1. The header has a checksum of its own, so that the length can be trusted.
struct FruRecordHeader {
  std::uint8_t type = 0;
  bool is_last = false;
  std::size_t length = 0;  // of the data behind it
  std::uint8_t checksum = 0;
};
/// Errors: Corrupt (too short, version, checksum).
Result<FruRecordHeader> parse_fru_record_header(Bytes data);

/// Section 18.1. What is nothing is not specified.
struct PowerSupplyRecord {
  unsigned capacity_watts = 0;
  std::optional<unsigned> peak_va;
  unsigned lowest_input_mv = 0, highest_input_mv = 0;    // first range
  unsigned lowest_input2_mv = 0, highest_input2_mv = 0;  // second range; 0: none
  unsigned lowest_hertz = 0, highest_hertz = 0;          // 0: direct current
  unsigned peak_watts = 0, hold_up_seconds = 0;
  bool predicts_failure = false, corrects_power_factor = false, switches_range = false, is_hot_swappable = false;
  friend bool operator==(const PowerSupplyRecord&, const PowerSupplyRecord&) = default;
};

/// Sections 18.2 and 18.3: what an output delivers, or what a load draws.
struct DcRecord {
  enum class Side : std::uint8_t { Output, Load } side = Side::Output;
  unsigned number = 0;
  bool is_standby = false;  // of an output: also while the rest is off
  int nominal_mv = 0, lowest_mv = 0, highest_mv = 0;
  unsigned ripple_mv = 0;
  unsigned least_ma = 0, most_ma = 0;
  friend bool operator==(const DcRecord&, const DcRecord&) = default;
};

/// Section 18.4: one line about how the part is managed.
struct ManagementRecord {
  std::uint8_t kind = 0;
  std::string text;  // printable; bytes in hexadecimal where it is an id
  friend bool operator==(const ManagementRecord&, const ManagementRecord&) = default;
};

/// Everything else: compatibility lists, a maker's own (from 0xC0 on), and records of a known type
/// that are too short for it.
struct RawFruRecord {
  std::uint8_t type = 0;
  std::vector<std::uint8_t> data;
  friend bool operator==(const RawFruRecord&, const RawFruRecord&) = default;
};

using FruRecord = std::variant<PowerSupplyRecord, DcRecord, ManagementRecord, RawFruRecord>;

/// `data` is what the header counts. Errors: Corrupt (length, checksum of the record).
Result<FruRecord> parse_fru_record(const FruRecordHeader& header, Bytes data);

/// "power supply", "DC output", "system name", "maker's own (0xC0)": for people.
std::string name_of(const FruRecord& record);

}  // namespace nimbus::ipmi
