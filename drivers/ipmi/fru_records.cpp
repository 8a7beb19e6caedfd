#include "drivers/ipmi/fru_records.hpp"

#include <array>
#include <numeric>
#include <string_view>

#include <fmt/core.h>

#include "drivers/ipmi/fru.hpp"

namespace nimbus::ipmi {
namespace {

constexpr std::uint8_t kFormatVersion = 2;
constexpr std::uint8_t kFirstOfMakers = 0xC0;
constexpr int kMillivoltsPerStep = 10;

enum Type : std::uint8_t { PowerSupply = 0, DcOutput = 1, DcLoad = 2, Management = 3, Base = 4, Extended = 5 };

/// Kinds of section 18.4, by their number.
constexpr std::array<std::string_view, 8> kManagementNames = {"",
                                                              "system management URL",
                                                              "system name",
                                                              "system ping address",
                                                              "component management URL",
                                                              "component name",
                                                              "component ping address",
                                                              "system unique id"};
constexpr std::uint8_t kUniqueId = 7;

std::uint8_t sum_of(Bytes data) noexcept {
  return static_cast<std::uint8_t>(std::accumulate(data.begin(), data.end(), 0U));
}

Error corrupt(const char* what) { return Error{Code::Corrupt, std::string("FRU inventory: ") + what}; }

/// Two bytes in steps of 10 mV, with a sign.
int millivolts(Reader& in) { return static_cast<std::int16_t>(in.u16()) * kMillivoltsPerStep; }
unsigned plain_millivolts(Reader& in) { return in.u16() * unsigned{kMillivoltsPerStep}; }

PowerSupplyRecord read_power_supply(Reader& in) {
  constexpr unsigned kNotSpecified = 0xFFFF;
  PowerSupplyRecord out;
  out.capacity_watts = in.u16() & 0x0FFFU;
  const unsigned peak_va = in.u16();
  if (peak_va != kNotSpecified) out.peak_va = peak_va;
  in.bytes(2);  // inrush current and its time
  out.lowest_input_mv = plain_millivolts(in);
  out.highest_input_mv = plain_millivolts(in);
  out.lowest_input2_mv = plain_millivolts(in);
  out.highest_input2_mv = plain_millivolts(in);
  out.lowest_hertz = in.u8();
  out.highest_hertz = in.u8();
  in.bytes(1);  // how long a gap of the input is bridged
  const unsigned flags = in.u8();
  out.predicts_failure = (flags & 0x01U) != 0;
  out.corrects_power_factor = (flags & 0x02U) != 0;
  out.switches_range = (flags & 0x04U) != 0;
  out.is_hot_swappable = (flags & 0x08U) != 0;
  const unsigned peak = in.u16();
  out.peak_watts = peak & 0x0FFFU;
  out.hold_up_seconds = peak >> 12U;
  in.bytes(4);  // combined outputs; fan speed that predicts a failure
  return out;
}

DcRecord read_dc(DcRecord::Side side, Reader& in) {
  DcRecord out{.side = side};
  const unsigned head = in.u8();
  out.number = head & 0x0FU;
  out.is_standby = side == DcRecord::Side::Output && (head & 0x80U) != 0;
  out.nominal_mv = millivolts(in);
  out.lowest_mv = millivolts(in);
  out.highest_mv = millivolts(in);
  out.ripple_mv = in.u16();
  out.least_ma = in.u16();
  out.most_ma = in.u16();
  return out;
}

ManagementRecord read_management(Bytes data) {
  constexpr unsigned kBinary = 0, kText = 3;
  const std::uint8_t kind = data.front();
  return {.kind = kind, .text = decode_text(kind == kUniqueId ? kBinary : kText, data.subspan(1))};
}

}  // namespace

Result<FruRecordHeader> parse_fru_record_header(Bytes data) {
  if (data.size() < kFruRecordHeaderBytes) return corrupt("a record's header is too short");
  const auto header = data.first(kFruRecordHeaderBytes);
  if (sum_of(header) != 0) return corrupt("wrong checksum of a record's header");
  if ((header[1] & 0x0FU) != kFormatVersion) return corrupt("unknown version of a record");
  return FruRecordHeader{
      .type = header[0], .is_last = (header[1] & 0x80U) != 0, .length = header[2], .checksum = header[3]};
}

Result<FruRecord> parse_fru_record(const FruRecordHeader& header, Bytes data) {
  if (data.size() != header.length) return corrupt("a record of another length than it says");
  if (static_cast<std::uint8_t>(sum_of(data) + header.checksum) != 0) return corrupt("wrong checksum of a record");
  Reader in(data);
  std::optional<FruRecord> known;
  if (header.type == PowerSupply) {
    known = read_power_supply(in);
  } else if (header.type == DcOutput || header.type == DcLoad) {
    known = read_dc(header.type == DcOutput ? DcRecord::Side::Output : DcRecord::Side::Load, in);
  } else if (header.type == Management && !data.empty()) {
    known = read_management(data);
  }
  if (known && in.ok()) return std::move(*known);
  return FruRecord(RawFruRecord{.type = header.type, .data = {data.begin(), data.end()}});
}

std::string name_of(const FruRecord& record) {
  if (std::holds_alternative<PowerSupplyRecord>(record)) return "power supply";
  if (const auto* dc = std::get_if<DcRecord>(&record))
    return fmt::format("DC {} {}", dc->side == DcRecord::Side::Output ? "output" : "load", dc->number);
  if (const auto* management = std::get_if<ManagementRecord>(&record)) {
    const bool known = management->kind > 0 && management->kind < kManagementNames.size();
    return known ? std::string(kManagementNames.at(management->kind))
                 : fmt::format("management record 0x{:02X}", management->kind);
  }
  const auto type = std::get<RawFruRecord>(record).type;
  if (type >= kFirstOfMakers) return fmt::format("maker's own (0x{:02X})", type);
  if (type == Base) return "base compatibility";
  if (type == Extended) return "extended compatibility";
  return fmt::format("record 0x{:02X}", type);
}

}  // namespace nimbus::ipmi
