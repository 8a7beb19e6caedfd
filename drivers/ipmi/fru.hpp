// FRU inventory data (IPMI Platform Management FRU Information Storage Definition
// 1.0 rev 1.3): who made a part, and its serial number. Pure; every length and
// checksum is verified before it is believed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "core/result.hpp"
#include "drivers/ipmi/fru_records.hpp"
#include "drivers/ipmi/wire.hpp"

namespace nimbus::ipmi {

inline constexpr std::size_t kFruHeaderBytes = 8;
/// Length is one byte, in units of 8 bytes.
inline constexpr std::size_t kMaxFruAreaBytes = 255 * 8;

/// A text of 2-bit `type` (section 13; SDRs use the same four), printable and without
/// surrounding blanks.
std::string decode_text(unsigned type, Bytes data);

/// Offsets in bytes; 0: the area is not there.
struct FruHeader {
  std::size_t chassis = 0;
  std::size_t board = 0;
  std::size_t product = 0;
  std::size_t records = 0;
};
/// Errors: Corrupt (version, checksum).
Result<FruHeader> parse_fru_header(Bytes data);

enum class FruArea : std::uint8_t { Chassis, Board, Product };

/// Texts are printable and without surrounding blanks; fields that are not there
/// stay empty.
struct FruFields {
  std::string manufacturer;  // board, product
  std::string name;          // board, product
  std::string part_number;
  std::string version;  // product
  std::string serial;
  std::string asset_tag;  // product
};

/// The length of the area whose first two bytes are `head`. Errors: Corrupt.
Result<std::size_t> fru_area_length(Bytes head);
/// `data` is one whole area. Errors: Corrupt (version, length, checksum, fields
/// that run over its end).
Result<FruFields> parse_fru_area(FruArea area, Bytes data);

struct Fru {
  std::optional<FruFields> chassis;
  std::optional<FruFields> board;
  std::optional<FruFields> product;
  std::vector<FruRecord> records;
};

/// The serial number printed on the machine: the product's, else the chassis's.
/// Placeholders count as none. The board's is another number and never taken.
std::string machine_serial(const Fru& fru);

}  // namespace nimbus::ipmi
