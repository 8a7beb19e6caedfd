// Storage commands: FRU (IPMI 2.0, section 34), SDR (33), SEL (31).
#include <algorithm>

#include "simulator/ipmi/commands.hpp"
#include "simulator/ipmi/sensor_data.hpp"

namespace nimbus::simulator::ipmi {
namespace {

constexpr std::uint8_t kNetFn = 0x0a;
constexpr std::uint16_t kFirst = 0x0000;
constexpr std::uint16_t kLast = 0xffff;
constexpr std::size_t kMostPerRead = 0x80;
constexpr std::uint8_t kWholeRecord = 0xff;

std::uint32_t seconds_of(WallTime time) {
  return static_cast<std::uint32_t>(std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count());
}

std::uint8_t fru_info(Exchange& x) {
  if (x.request[0] != 0) return kNotPresent;
  put16(x.reply, static_cast<std::uint16_t>(kFruSize));
  x.reply.push_back(0x00);  // by bytes
  return kOk;
}

std::uint8_t fru_read(Exchange& x) {
  if (x.request[0] != 0) return kNotPresent;
  const std::size_t offset = get16(x.request, 1);
  const std::size_t count = x.request[3];
  if (offset >= kFruSize || count == 0) return kOutOfRange;
  if (count > kMostPerRead) return kCannotReturnCount;
  const Buffer image = fru_image(x.machine);
  const std::size_t taken = std::min(count, kFruSize - offset);
  x.reply = {static_cast<std::uint8_t>(taken)};
  const auto from = image.begin() + static_cast<std::ptrdiff_t>(offset);
  x.reply.insert(x.reply.end(), from, from + static_cast<std::ptrdiff_t>(taken));
  return kOk;
}

std::uint8_t sdr_info(Exchange& x) {
  x.reply = {0x51};
  put16(x.reply, static_cast<std::uint16_t>(sensor_record_count(x.machine)));
  put16(x.reply, 0);  // no free space
  put32(x.reply, 0);
  put32(x.reply, 0);
  x.reply.push_back(0x02);  // reservations
  return kOk;
}

std::uint8_t sdr_reserve(Exchange& x) {
  if (++x.responder.sdr_reservation == 0) x.responder.sdr_reservation = 1;
  put16(x.reply, x.responder.sdr_reservation);
  return kOk;
}

std::uint8_t sdr_read(Exchange& x) {
  const std::uint16_t reservation = get16(x.request, 0);
  std::uint16_t id = get16(x.request, 2);
  const std::size_t offset = x.request[4];
  const std::size_t count = x.request[5];
  if (offset != 0 && reservation != x.responder.sdr_reservation) return kReservationCancelled;
  const std::size_t total = sensor_record_count(x.machine);
  if (id == kFirst) id = 1;
  if (id == kLast) id = static_cast<std::uint16_t>(total);
  if (id > total) return kNotPresent;
  const Buffer record = sensor_record(x.machine, id - 1U);
  if (offset >= record.size()) return kOutOfRange;
  if (count != kWholeRecord && count > kMostPerRead) return kCannotReturnCount;
  const std::size_t taken = std::min(count == kWholeRecord ? record.size() : count, record.size() - offset);
  put16(x.reply, id == total ? kLast : static_cast<std::uint16_t>(id + 1));
  const auto from = record.begin() + static_cast<std::ptrdiff_t>(offset);
  x.reply.insert(x.reply.end(), from, from + static_cast<std::ptrdiff_t>(taken));
  return kOk;
}

std::uint8_t sdr_allocation(Exchange& x) {
  x.reply.assign(9, 0);
  return kOk;
}

std::uint8_t sdr_time(Exchange& x) {
  put32(x.reply, seconds_of(x.machine.bmc_time()));
  return kOk;
}

std::uint8_t sel_info(Exchange& x) {
  const auto& log = x.machine.events;
  x.reply = {0x51};
  put16(x.reply, static_cast<std::uint16_t>(log.records().size()));
  put16(x.reply, static_cast<std::uint16_t>((EventLog::kCapacity - log.records().size()) * 16));
  put32(x.reply, seconds_of(log.last_addition()));
  put32(x.reply, seconds_of(log.last_erase()));
  x.reply.push_back(static_cast<std::uint8_t>(0x0a | (log.overflowed() ? 0x80U : 0U)));  // delete, reserve
  return kOk;
}

std::uint8_t sel_allocation(Exchange& x) {
  put16(x.reply, EventLog::kCapacity);
  put16(x.reply, 16);
  const auto free = static_cast<std::uint16_t>(EventLog::kCapacity - x.machine.events.records().size());
  put16(x.reply, free);
  put16(x.reply, free);
  x.reply.push_back(1);
  return kOk;
}

std::uint8_t sel_reserve(Exchange& x) {
  if (++x.responder.sel_reservation == 0) x.responder.sel_reservation = 1;
  put16(x.reply, x.responder.sel_reservation);
  return kOk;
}

std::uint8_t sel_read(Exchange& x) {
  const std::uint16_t id = get16(x.request, 2);
  const std::size_t offset = x.request[4];
  const std::size_t count = x.request[5];
  const auto& records = x.machine.events.records();
  if (records.empty()) return kNotPresent;
  auto found = id == kFirst  ? records.begin()
               : id == kLast ? records.end() - 1
                             : std::ranges::find_if(records, [id](const auto& r) { return r.id == id; });
  if (found == records.end()) return kNotPresent;
  if (offset >= found->bytes.size()) return kOutOfRange;
  const std::size_t taken = std::min(count == kWholeRecord ? found->bytes.size() : count, found->bytes.size() - offset);
  put16(x.reply, found + 1 == records.end() ? kLast : (found + 1)->id);
  const auto from = found->bytes.begin() + static_cast<std::ptrdiff_t>(offset);
  x.reply.insert(x.reply.end(), from, from + static_cast<std::ptrdiff_t>(taken));
  return kOk;
}

std::uint8_t sel_add(Exchange& x) {
  std::array<std::uint8_t, 16> bytes{};
  std::copy_n(x.request.begin(), bytes.size(), bytes.begin());
  const auto id = x.machine.events.add_raw(bytes, x.machine.bmc_time());
  if (!id) return kOutOfSpace;
  put16(x.reply, *id);
  return kOk;
}

std::uint8_t sel_delete(Exchange& x) {
  std::uint16_t id = get16(x.request, 2);
  const auto& records = x.machine.events.records();
  if (records.empty()) return kNotPresent;
  if (id == kFirst) id = records.front().id;
  if (id == kLast) id = records.back().id;
  if (!x.machine.events.remove(id, x.machine.bmc_time())) return kNotPresent;
  x.responder.sel_reservation = 0;
  put16(x.reply, id);
  return kOk;
}

std::uint8_t sel_clear(Exchange& x) {
  if (get16(x.request, 0) != x.responder.sel_reservation || x.responder.sel_reservation == 0)
    return kReservationCancelled;
  if (x.request[2] != 'C' || x.request[3] != 'L' || x.request[4] != 'R') return kInvalidField;
  if (x.request[5] == 0xaa) {
    x.machine.events.clear(x.machine.bmc_time());
  } else if (x.request[5] != 0x00) {
    return kInvalidField;
  }
  x.reply = {0x01};  // erasure is complete
  return kOk;
}

std::uint8_t sel_time(Exchange& x) { return sdr_time(x); }

std::uint8_t set_sel_time(Exchange& x) {
  const WallTime wanted{std::chrono::seconds(get32(x.request, 0))};
  x.machine.bmc_clock_offset += wanted - x.machine.bmc_time();
  return kOk;
}

std::uint8_t utc_offset(Exchange& x) {
  put16(x.reply, 0);
  return kOk;
}

using enum Effect;
constexpr Command kCommands[] = {
    {kNetFn, 0x10, "get-fru-info", Privilege::User, 1, Reads, fru_info},
    {kNetFn, 0x11, "read-fru", Privilege::User, 4, Reads, fru_read},
    {kNetFn, 0x20, "get-sdr-info", Privilege::User, 0, Reads, sdr_info},
    {kNetFn, 0x21, "get-sdr-allocation", Privilege::User, 0, Reads, sdr_allocation},
    {kNetFn, 0x22, "reserve-sdr", Privilege::User, 0, Reads, sdr_reserve},
    {kNetFn, 0x23, "get-sdr", Privilege::User, 6, Reads, sdr_read},
    {kNetFn, 0x28, "get-sdr-time", Privilege::User, 0, Reads, sdr_time},
    {kNetFn, 0x40, "get-sel-info", Privilege::User, 0, Reads, sel_info},
    {kNetFn, 0x41, "get-sel-allocation", Privilege::User, 0, Reads, sel_allocation},
    {kNetFn, 0x42, "reserve-sel", Privilege::User, 0, Reads, sel_reserve},
    {kNetFn, 0x43, "get-sel-entry", Privilege::User, 6, Reads, sel_read},
    {kNetFn, 0x44, "add-sel-entry", Privilege::Operator, 16, Writes, sel_add},
    {kNetFn, 0x46, "delete-sel-entry", Privilege::Operator, 4, Writes, sel_delete},
    {kNetFn, 0x47, "clear-sel", Privilege::Operator, 6, Writes, sel_clear},
    {kNetFn, 0x48, "get-sel-time", Privilege::User, 0, Reads, sel_time},
    {kNetFn, 0x49, "set-sel-time", Privilege::Operator, 4, Writes, set_sel_time},
    {kNetFn, 0x5c, "get-sel-utc-offset", Privilege::User, 0, Reads, utc_offset},
};

}  // namespace

std::span<const Command> storage_commands() noexcept { return kCommands; }

}  // namespace nimbus::simulator::ipmi
