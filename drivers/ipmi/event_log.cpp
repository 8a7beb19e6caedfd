#include "drivers/ipmi/event_log.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "base/text/text.hpp"
#include "drivers/ipmi/events.hpp"

namespace nimbus::ipmi {
namespace {

constexpr std::uint8_t kSystemEvent = 0x02;
constexpr std::uint8_t kFirstOemTimed = 0xC0;
constexpr std::uint8_t kFirstOemUntimed = 0xE0;
constexpr std::uint16_t kFirstEntry = 0x0000;
constexpr std::uint16_t kLastEntry = 0xFFFF;
constexpr std::uint32_t kUnspecified = 0xFFFFFFFF;
constexpr std::uint32_t kSinceStart = 0x20000000;  // below: seconds since the BMC's start (section 37)
constexpr std::size_t kMostEntries = 65536;

std::optional<WallTime> wall_time(std::uint32_t seconds) {
  if (seconds == kUnspecified || seconds <= kSinceStart) return std::nullopt;
  return WallTime(std::chrono::seconds(seconds));
}

/// Raw bytes of a threshold event in the sensor's unit, where that is known.
std::string reading_text(const SensorRecord* sensor, std::uint8_t raw) {
  if (sensor == nullptr || sensor->formula.needs_factors_per_reading()) return fmt::format("raw 0x{:02x}", raw);
  const auto value = convert(sensor->formula, raw);
  if (!value) return fmt::format("raw 0x{:02x}", raw);
  const auto unit = unit_of(sensor->formula, sensor->sensor_type).unit;
  return fmt::format("{:.6g}{}{}", in_our_unit(sensor->formula, *value), unit.empty() ? "" : " ", unit);
}

struct SystemEvent {
  std::uint16_t generator;
  std::uint8_t sensor_type, sensor, event_type;
  bool deassertion;
  std::array<std::uint8_t, 3> data;
};

SystemEvent read_system_event(Reader& in) {
  SystemEvent event{};
  event.generator = in.u16();
  in.u8();  // revision of the event message
  event.sensor_type = in.u8();
  event.sensor = in.u8();
  const std::uint8_t type = in.u8();
  event.event_type = type & 0x7FU;
  event.deassertion = (type & 0x80U) != 0;
  in.copy(event.data);
  return event;
}

void describe_system_event(const SystemEvent& event, const SdrRepository::Contents* sensors, LogEntry& out) {
  const auto owner = static_cast<std::uint8_t>(event.generator & 0xFFU);
  const auto lun = static_cast<std::uint8_t>(event.generator >> 8U & 0x03U);
  const auto* sensor = sensors == nullptr ? nullptr : sensors->find(owner, lun, event.sensor);
  const auto type = sensor_type_text(event.sensor_type);
  out.sensor =
      sensor != nullptr && !sensor->name.empty() ? sensor->name : fmt::format("{} 0x{:02x}", type, event.sensor);
  const auto offset = static_cast<std::uint8_t>(event.data[0] & 0x0FU);
  StateText text;
  if (event.event_type == kThresholdEvents) {
    text = describe_limit(offset);
    // Which of the other two bytes are a reading and a limit (table 29-6).
    if ((event.data[0] & 0xC0U) == 0x40U) text.words += ": " + reading_text(sensor, event.data[1]);
    if ((event.data[0] & 0x30U) == 0x10U) text.words += ", limit " + reading_text(sensor, event.data[2]);
  } else if (event.event_type <= kSensorSpecificStates && event.event_type != 0) {
    text = describe_state(event.sensor_type, event.event_type, offset);
    const bool more = event.data[1] != 0xFF || event.data[2] != 0xFF;
    if ((event.data[0] & 0xF0U) != 0 && more)
      text.words += fmt::format(" (0x{:02x} 0x{:02x})", event.data[1], event.data[2]);
  } else {
    text = {.words = "event " + base::to_hex(event.data), .health = Health::Unknown};
  }
  out.message = type + ": " + text.words + (event.deassertion ? " (ended)" : "");
  out.severity = event.deassertion ? Health::Ok : text.health;
}

}  // namespace

LogEntry describe_event(Bytes record, const SdrRepository::Contents* sensors) {
  Reader in(record);
  LogEntry out;
  out.id = std::to_string(in.u16());
  const std::uint8_t type = in.u8();
  if (type >= kFirstOemUntimed) {
    out.message = "maker's own record: " + base::to_hex(in.rest());
    return out;
  }
  out.when = wall_time(in.u32());
  if (type == kSystemEvent) {
    const auto event = read_system_event(in);
    if (in.ok()) describe_system_event(event, sensors, out);
  } else if (type >= kFirstOemTimed) {
    const std::uint32_t low = in.u16();
    const std::uint32_t maker = low | static_cast<std::uint32_t>(in.u8()) << 16U;
    out.message = fmt::format("maker's own record (enterprise {}): {}", maker, base::to_hex(in.rest()));
  } else {
    out.message = fmt::format("record of type 0x{:02x}: {}", type, base::to_hex(in.rest()));
  }
  if (!in.ok()) out.message = "a record that is cut short: " + base::to_hex(record);
  return out;
}

Result<EventLog::State> EventLog::read_state(Client& client, const Call& call) {
  const Request request{.net_fn = NetFn::Storage, .command = 0x40, .name = "Get SEL Info"};
  const auto data = client.ask_data(request, call);
  if (!data) return data.error();
  Reader in(*data);
  State state;
  in.u8();  // version
  state.count = in.u16();
  in.u16();  // free bytes
  state.added = in.u32();
  state.erased = in.u32();
  if (!in.ok()) return Error{Code::Corrupt, "Get SEL Info: an answer that is too short"};
  state.session = client.session();
  return state;
}

Result<EventLog::Record> EventLog::read_record(Client& client, std::uint16_t id, const Call& call) {
  Request request{.net_fn = NetFn::Storage, .command = 0x43, .name = "Get SEL Entry"};
  Writer out(request.data);
  out.u16(0);  // whole records need no reservation (section 31.5)
  out.u16(id);
  out.u8(0);
  out.u8(0xFF);
  const auto data = client.ask_data(request, call);
  if (!data) return data.error();
  if (data->size() != 2 + kSelRecordBytes) return Error{Code::Corrupt, "Get SEL Entry: not a whole record"};
  Reader in(*data);
  Record record{.next = in.u16(), .bytes = {}};
  const auto bytes = in.rest();
  record.bytes.assign(bytes.begin(), bytes.end());
  return record;
}

/// Where to begin: behind what is known; else as near to the end as the numbers of the
/// entries allow; else at the first.
Result<std::uint16_t> EventLog::start(Client& client, const State& now, const Call& call) const {
  if (!records_.empty()) {
    const auto& last = records_.back().bytes;
    return Reader(last).u16();
  }
  if (now.count <= kKept) return kFirstEntry;
  const auto newest = read_record(client, kLastEntry, call);
  if (!newest) return kFirstEntry;
  const std::uint16_t last = Reader(newest->bytes).u16();
  if (last <= kKept) return kFirstEntry;
  // Entries are usually numbered one by one; where they are not, this one is not there.
  const auto guess = static_cast<std::uint16_t>(last - kKept + 1);
  const auto there = read_record(client, guess, call);
  return there && Reader(there->bytes).u16() == guess ? guess : kFirstEntry;
}

Result<> EventLog::walk(Client& client, std::uint16_t from, const Call& call) {
  std::set<std::uint16_t> seen;
  for (std::uint16_t id = from; id != kLastEntry;) {
    if (!seen.insert(id).second || seen.size() > kMostEntries) {
      return Error{Code::Corrupt, "the BMC's event log has no end"};
    }
    auto record = read_record(client, id, call);
    if (!record) return std::move(record.error());
    id = record->next;
    const bool known = !records_.empty() && records_.back().bytes == record->bytes;
    if (known) {
      records_.back() = std::move(*record);
    } else {
      records_.push_back(std::move(*record));
    }
    if (records_.size() > kKept) records_.pop_front();
  }
  return {};
}

Result<> EventLog::walk_from_known(Client& client, const State& now, const Call& call) {
  const auto walk_here = [&]() -> Result<> {
    const auto from = start(client, now, call);
    if (!from) return from.error();
    return walk(client, *from, call);
  };
  auto walked = walk_here();
  if (walked || walked.error().code != Code::NotFound) return walked;
  if (records_.empty()) return {};  // cleared a moment ago
  records_.clear();                 // the newest that was known is gone: the log went round
  return walk_here();
}

Result<std::vector<LogEntry>> EventLog::entries(Client& client, SdrRepository& repository, std::size_t most,
                                                const Call& call) {
  const auto now = read_state(client, call);
  if (!now) return Error(now.error()).with("while reading the event log");
  const bool grown_only = state_.session == now->session && state_.erased == now->erased && state_.count <= now->count;
  if (!grown_only) records_.clear();
  const bool unchanged = grown_only && state_.count == now->count && state_.added == now->added && !records_.empty();
  if (now->count != 0 && !unchanged) {
    state_ = {};  // until the walk is complete
    auto walked = walk_from_known(client, *now, call);
    if (walked && client.session() != now->session) {
      walked = Error{Code::Busy, "the BMC's session was lost while reading the event log"};
    }
    if (!walked) {
      records_.clear();
      return std::move(walked.error()).with("while reading the event log");
    }
  }
  state_ = *now;
  // Names of sensors help, but a log without them is still one.
  const auto contents = repository.contents(client, call);
  const auto* sensors = contents ? *contents : nullptr;
  std::vector<LogEntry> out;
  for (std::size_t i = records_.size() - std::min(most, records_.size()); i < records_.size(); ++i) {
    out.push_back(describe_event(records_.at(i).bytes, sensors));
  }
  return out;
}

}  // namespace nimbus::ipmi
