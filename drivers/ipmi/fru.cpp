#include "drivers/ipmi/fru.hpp"

#include "base/text/text.hpp"
#include "core/identity.hpp"

namespace nimbus::ipmi {
namespace {

constexpr std::uint8_t kFormatVersion = 1;
constexpr std::uint8_t kEndOfFields = 0xC1;
constexpr std::size_t kMaxFields = 64;

bool sums_to_zero(Bytes data) noexcept {
  unsigned sum = 0;
  for (const auto byte : data) sum += byte;
  return (sum & 0xFFU) == 0;
}

/// Section 13: BCD plus.
std::string decode_bcd(Bytes data) {
  constexpr char kDigits[] = "0123456789 -.???";
  std::string out;
  for (const auto byte : data) {
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 0x0FU];
  }
  return out;
}

/// Section 13: 6-bit ASCII, packed from the lowest bits up.
std::string decode_six_bit(Bytes data) {
  std::string out;
  unsigned bits = 0;
  unsigned count = 0;
  for (const auto byte : data) {
    bits |= static_cast<unsigned>(byte) << count;
    count += 8;
    for (; count >= 6; count -= 6, bits >>= 6U) out += static_cast<char>((bits & 0x3FU) + 0x20);
  }
  return out;
}

Error corrupt(const char* what) { return Error{Code::Corrupt, std::string("FRU inventory: ") + what}; }

/// Where each text of an area goes, in order.
const std::vector<std::string FruFields::*>& fields_of(FruArea area) {
  static const std::vector<std::string FruFields::*> chassis = {&FruFields::part_number, &FruFields::serial};
  static const std::vector<std::string FruFields::*> board = {&FruFields::manufacturer, &FruFields::name,
                                                              &FruFields::serial, &FruFields::part_number};
  static const std::vector<std::string FruFields::*> product = {&FruFields::manufacturer, &FruFields::name,
                                                                &FruFields::part_number,  &FruFields::version,
                                                                &FruFields::serial,       &FruFields::asset_tag};
  switch (area) {
    case FruArea::Chassis:
      return chassis;
    case FruArea::Board:
      return board;
    case FruArea::Product:
      return product;
  }
  return product;
}

/// Bytes before the first text: version, length, then type; language and date; language.
std::size_t fixed_bytes(FruArea area) noexcept { return area == FruArea::Board ? 6 : 3; }

}  // namespace

std::string decode_text(unsigned type, Bytes data) {
  std::string raw;
  switch (type) {
    case 0:
      raw = base::to_hex(data);
      break;
    case 1:
      raw = decode_bcd(data);
      break;
    case 2:
      raw = decode_six_bit(data);
      break;
    default:
      raw.assign(data.begin(), data.end());
      break;
  }
  // Unused room is filled with blanks or zeros.
  while (!raw.empty() && (raw.back() == '\0' || raw.back() == ' ')) raw.pop_back();
  return base::printable(base::trim(raw), 256);
}

Result<FruHeader> parse_fru_header(Bytes data) {
  if (data.size() < kFruHeaderBytes) return corrupt("header too short");
  const auto header = data.first(kFruHeaderBytes);
  if ((header[0] & 0x0FU) != kFormatVersion) return corrupt("unknown format version");
  if (!sums_to_zero(header)) return corrupt("wrong checksum of the header");
  return FruHeader{.chassis = header[2] * std::size_t{8},
                   .board = header[3] * std::size_t{8},
                   .product = header[4] * std::size_t{8},
                   .records = header[5] * std::size_t{8}};
}

Result<std::size_t> fru_area_length(Bytes head) {
  if (head.size() < 2) return corrupt("area too short");
  if ((head[0] & 0x0FU) != kFormatVersion) return corrupt("unknown version of an area");
  if (head[1] == 0) return corrupt("area of length 0");
  return head[1] * std::size_t{8};
}

Result<FruFields> parse_fru_area(FruArea area, Bytes data) {
  const auto length = fru_area_length(data);
  if (!length) return length.error();
  if (*length > data.size()) return corrupt("area cut short");
  const auto whole = data.first(*length);
  if (!sums_to_zero(whole)) return corrupt("wrong checksum of an area");
  Reader in(whole.first(whole.size() - 1));
  in.bytes(fixed_bytes(area));
  FruFields out;
  const auto& names = fields_of(area);
  for (std::size_t i = 0; i < kMaxFields; ++i) {
    const std::uint8_t head = in.u8();
    if (!in.ok()) break;  // no end mark: seen on real boards, all fields were there
    if (head == kEndOfFields) break;
    const auto text = in.bytes(head & 0x3FU);
    if (!in.ok()) return corrupt("a field runs over the end of its area");
    if (i < names.size()) out.*names.at(i) = decode_text(head >> 6U, text);
  }
  return out;
}

std::string machine_serial(const Fru& fru) {
  for (const auto* area : {&fru.product, &fru.chassis}) {
    if (!area->has_value()) continue;
    const auto serial = normalize_serial((*area)->serial);
    if (!serial.empty() && !is_placeholder_identity(serial)) return serial;
  }
  return "";
}

}  // namespace nimbus::ipmi
