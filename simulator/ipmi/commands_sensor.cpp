// Sensor commands (IPMI 2.0, section 35).
#include <algorithm>

#include "simulator/ipmi/commands.hpp"
#include "simulator/ipmi/sensor_data.hpp"

namespace nimbus::simulator::ipmi {
namespace {

constexpr std::uint8_t kNetFn = 0x04;
constexpr std::uint8_t kScanning = 0xc0;  // events and scanning enabled
constexpr std::uint8_t kUnavailable = 0x20;

/// Which limits the reading is beyond (table 35-15, byte 3).
std::uint8_t comparison(const Sensor& sensor, double value) {
  const Thresholds& t = sensor.thresholds;
  unsigned out = 0;
  if (t.lower_caution && value <= *t.lower_caution) out |= 0x01U;
  if (t.lower_critical && value <= *t.lower_critical) out |= 0x02U;
  if (t.upper_caution && value >= *t.upper_caution) out |= 0x08U;
  if (t.upper_critical && value >= *t.upper_critical) out |= 0x10U;
  return static_cast<std::uint8_t>(out);
}

std::uint8_t reading(Exchange& x) {
  const Sensor* sensor = x.machine.hardware().sensor(x.request[0]);
  if (sensor == nullptr) return kNotPresent;
  const auto value = x.machine.reading(*sensor);
  if (!value) {
    x.reply = {0x00, kScanning | kUnavailable, 0x00, 0x00};
  } else {
    x.reply = {raw_of(*sensor, *value), kScanning, static_cast<std::uint8_t>(0xc0 | comparison(*sensor, *value)), 0x00};
  }
  return kOk;
}

std::uint8_t thresholds(Exchange& x) {
  const Sensor* sensor = x.machine.hardware().sensor(x.request[0]);
  if (sensor == nullptr) return kNotPresent;
  const Thresholds& t = sensor->thresholds;
  const auto raw = [&](const std::optional<double>& limit) {
    return limit ? raw_of(*sensor, *limit) : std::uint8_t{0};
  };
  x.reply = {threshold_mask(t),
             raw(t.lower_caution),
             raw(t.lower_critical),
             0,
             raw(t.upper_caution),
             raw(t.upper_critical),
             0};
  return kOk;
}

std::uint8_t hysteresis(Exchange& x) {
  if (x.machine.hardware().sensor(x.request[0]) == nullptr) return kNotPresent;
  x.reply = {0x01, 0x01};
  return kOk;
}

std::uint8_t event_enable(Exchange& x) {
  if (x.machine.hardware().sensor(x.request[0]) == nullptr) return kNotPresent;
  x.reply = {kScanning, 0x85, 0x02, 0x85, 0x02};
  return kOk;
}

std::uint8_t event_status(Exchange& x) {
  const Sensor* sensor = x.machine.hardware().sensor(x.request[0]);
  if (sensor == nullptr) return kNotPresent;
  x.reply = {kScanning, 0x00, 0x00, 0x00, 0x00};
  return kOk;
}

std::uint8_t type(Exchange& x) {
  const Sensor* sensor = x.machine.hardware().sensor(x.request[0]);
  if (sensor == nullptr) return kNotPresent;
  x.reply = {static_cast<std::uint8_t>(sensor->kind), 0x01};
  return kOk;
}

/// Platform Event Message (section 29.3): an event from the network lands in the log.
std::uint8_t platform_event(Exchange& x) {
  const Bytes d = x.request;  // generator, revision, sensor type, number, event type, data 1 to 3
  std::array<std::uint8_t, 16> record{};
  record[2] = 0x02;
  record[7] = d[0];
  std::copy_n(d.begin() + 1, 7, record.begin() + 9);
  return x.machine.events.add_raw(record, x.machine.bmc_time()) ? kOk : kOutOfSpace;
}

using enum Effect;
constexpr Command kCommands[] = {
    {kNetFn, 0x02, "platform-event", Privilege::Operator, 8, Writes, platform_event},
    {kNetFn, 0x25, "get-sensor-hysteresis", Privilege::User, 2, Reads, hysteresis},
    {kNetFn, 0x27, "get-sensor-thresholds", Privilege::User, 1, Reads, thresholds},
    {kNetFn, 0x29, "get-sensor-event-enable", Privilege::User, 1, Reads, event_enable},
    {kNetFn, 0x2b, "get-sensor-event-status", Privilege::User, 1, Reads, event_status},
    {kNetFn, 0x2d, "get-sensor-reading", Privilege::User, 1, Reads, reading},
    {kNetFn, 0x2f, "get-sensor-type", Privilege::User, 1, Reads, type},
};

}  // namespace

std::span<const Command> sensor_commands() noexcept { return kCommands; }

}  // namespace nimbus::simulator::ipmi
