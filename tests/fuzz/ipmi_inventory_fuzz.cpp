// What a BMC answers inside a session: FRU inventory, GUID, chassis status.
#include <algorithm>
#include <cstdint>

#include "base/text/text.hpp"
#include "drivers/ipmi/device.hpp"
#include "drivers/ipmi/fru.hpp"
#include "drivers/ipmi/guid.hpp"

using namespace nimbus::ipmi;

namespace {

std::uint8_t balance(Bytes data) {
  unsigned sum = 0;
  for (const auto byte : data) sum += byte;
  return static_cast<std::uint8_t>(-sum);
}

void check_text(const std::string& text) {
  // Whatever the device says, it fits on one line.
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) __builtin_trap();
  }
  if (!nimbus::base::is_valid_utf8(text)) __builtin_trap();
}

/// A list of records, their sums mended, so that the fields are reached.
void look_at_records(std::vector<std::uint8_t> bytes) {
  std::size_t at = 0;
  while (at + kFruRecordHeaderBytes <= bytes.size()) {
    auto* const head = bytes.data() + at;
    const std::size_t length = std::min<std::size_t>(head[2], bytes.size() - at - kFruRecordHeaderBytes);
    head[1] = static_cast<std::uint8_t>((head[1] & 0x80U) | 2U);
    head[2] = static_cast<std::uint8_t>(length);
    head[3] = balance({head + kFruRecordHeaderBytes, length});
    head[4] = balance({head, 4});
    const auto header = parse_fru_record_header({head, kFruRecordHeaderBytes});
    if (!header || header->length != length) __builtin_trap();
    const auto record = parse_fru_record(*header, {head + kFruRecordHeaderBytes, length});
    if (!record) __builtin_trap();
    check_text(name_of(*record));
    if (const auto* line = std::get_if<ManagementRecord>(&*record)) check_text(line->text);
    at += kFruRecordHeaderBytes + length;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  std::vector<std::uint8_t> bytes(data + 1, data + size);
  (void)parse_fru_header(bytes).has_value();
  if (const auto header = parse_fru_record_header(bytes))
    (void)parse_fru_record(*header, Bytes(bytes).subspan(kFruRecordHeaderBytes)).has_value();
  (void)parse_chassis_status(bytes).has_value();
  if (bytes.size() >= 16) {
    Guid guid{};
    std::copy_n(bytes.begin(), 16, guid.begin());
    check_text(describe_guid(guid).wire);
  }
  // Mend the sum, so that the fields are reached.
  if ((data[0] & 4U) != 0 && bytes.size() >= 2 && bytes[1] != 0 && bytes[1] * std::size_t{8} <= bytes.size()) {
    const std::size_t last = bytes[1] * std::size_t{8} - 1;
    unsigned sum = 0;
    for (std::size_t i = 0; i < last; ++i) sum += bytes[i];
    bytes[last] = static_cast<std::uint8_t>(-sum);
  }
  look_at_records(bytes);
  const auto area = static_cast<FruArea>(std::min(data[0] & 3U, 2U));
  const auto fields = parse_fru_area(area, bytes);
  if (fields) {
    for (const auto* text :
         {&fields->manufacturer, &fields->name, &fields->part_number, &fields->version, &fields->serial}) {
      check_text(*text);
    }
  }
  return 0;
}
