#include "drivers/ipmi/sensors.hpp"

#include "drivers/ipmi/events.hpp"

namespace nimbus::ipmi {
namespace {

constexpr std::uint8_t kBmcOwner = 0x20;
constexpr std::uint8_t kScanningEnabled = 0x40;
constexpr std::uint8_t kUnavailable = 0x20;

Request reading_request(const SensorRecord& sensor) {
  return {.net_fn = NetFn::Sensor,
          .command = 0x2D,
          .data = {sensor.number},
          .name = "Get Sensor Reading",
          .lun = sensor.lun};
}

/// Section 35.5: factors of a non-linear sensor for one raw reading.
Result<> fetch_factors(Client& client, SensorRecord& sensor, std::uint8_t raw, const Call& call) {
  const Request request{.net_fn = NetFn::Sensor,
                        .command = 0x23,
                        .data = {sensor.number, raw},
                        .name = "Get Sensor Reading Factors",
                        .lun = sensor.lun};
  const auto reply = client.ask(request, call);
  if (!reply) return reply.error();
  if (reply->completion != kOk || reply->data.size() < 7) {
    sensor.formula.format = AnalogFormat::None;  // then there is no number
  } else {
    sensor.formula.factors = parse_factors(Bytes(reply->data).subspan(1, 6));
  }
  return {};
}

}  // namespace

SensorReading parse_reading(const SensorRecord& record, Bytes data) {
  SensorReading out;
  out.name =
      record.name.empty() ? sensor_type_text(record.sensor_type) + " " + std::to_string(record.number) : record.name;
  const bool has_number = record.formula.format != AnalogFormat::None;
  if (has_number) {
    const auto unit = unit_of(record.formula, record.sensor_type);
    out.kind = unit.kind;
    out.unit = unit.unit;
  }
  Reader in(data);
  const std::uint8_t raw = in.u8();
  const std::uint8_t flags = in.u8();
  if (!in.ok() || (flags & kScanningEnabled) == 0 || (flags & kUnavailable) != 0) return out;
  const std::uint8_t low = in.u8();
  const bool tells_states = in.ok();
  const std::uint8_t high = in.u8();
  if (has_number) {
    if (const auto value = convert(record.formula, raw)) out.value = in_our_unit(record.formula, *value);
  }
  if (!tells_states) return out;
  if (record.event_type == kThresholdEvents) {
    out.health = health_of_comparison(low);
    return out;
  }
  const auto states = static_cast<std::uint16_t>(low | (high & 0x7FU) << 8U);
  auto text = describe_states(record.sensor_type, record.event_type, states);
  out.state = std::move(text.words);
  out.health = text.health;
  return out;
}

Result<std::vector<SensorReading>> read_sensors(Client& client, SdrRepository& repository, const Call& call) {
  const auto contents = repository.contents(client, call);
  if (!contents) return contents.error();
  std::vector<SensorReading> out;
  for (const auto& record : (*contents)->sensors) {
    if (!record.readable || record.owner != kBmcOwner) continue;
    const auto reply = client.ask(reading_request(record), call);
    if (!reply) return reply.error();
    const bool answered = reply->completion == kOk;
    if (answered && record.formula.needs_factors_per_reading() && !reply->data.empty()) {
      auto with_factors = record;
      if (auto done = fetch_factors(client, with_factors, reply->data[0], call); !done) return std::move(done.error());
      out.push_back(parse_reading(with_factors, reply->data));
      continue;
    }
    out.push_back(parse_reading(record, answered ? Bytes(reply->data) : Bytes()));
  }
  return out;
}

}  // namespace nimbus::ipmi
