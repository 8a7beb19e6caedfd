#include "simulator/ipmi/sensor_data.hpp"

#include <algorithm>
#include <cmath>

namespace nimbus::simulator::ipmi {
namespace {

constexpr std::uint8_t kSdrVersion = 0x51;
constexpr std::uint8_t kFullRecord = 0x01;
constexpr std::uint8_t kFruLocator = 0x11;
constexpr std::uint8_t kControllerLocator = 0x12;
constexpr std::uint8_t kLatin1 = 0xc0;

void put_name(Buffer& out, std::string_view name, std::size_t most) {
  const std::size_t size = std::min(name.size(), most);
  out.push_back(static_cast<std::uint8_t>(kLatin1 | size));
  out.insert(out.end(), name.begin(), name.begin() + static_cast<std::ptrdiff_t>(size));
}

struct Linear {
  int m;         // 10 bits, signed
  int exponent;  // 4 bits, signed: the result is m * x * 10^exponent
};
/// The shortest decimal factor that stands for `scale`.
Linear linear_of(double scale) {
  int exponent = 0;
  while (exponent > -6 && std::abs(scale - std::round(scale)) > 1e-6) {
    scale *= 10;
    --exponent;
  }
  return {static_cast<int>(std::lround(scale)), exponent};
}

std::uint8_t unit_of(SensorKind kind) {
  switch (kind) {
    case SensorKind::Temperature:
      return 1;  // degrees C
    case SensorKind::Voltage:
      return 4;
    case SensorKind::Power:
      return 6;  // watts
    case SensorKind::Fan:
      return 18;  // RPM
  }
  return 0;
}

std::uint8_t entity_of(SensorKind kind) {
  switch (kind) {
    case SensorKind::Temperature:
      return 0x07;  // system board
    case SensorKind::Voltage:
      return 0x07;
    case SensorKind::Power:
      return 0x0a;  // power supply
    case SensorKind::Fan:
      return 0x1d;  // fan
  }
  return 0x07;
}

std::uint8_t limit(const Sensor& sensor, const std::optional<double>& value) {
  return value ? raw_of(sensor, *value) : std::uint8_t{0};
}

Buffer full_record(const Machine& machine, const Sensor& sensor) {
  (void)machine;
  const Linear linear = linear_of(sensor.scale);
  const Thresholds& t = sensor.thresholds;
  const std::uint8_t mask = threshold_mask(t);
  // Assertion and deassertion events for going beyond each limit that there is.
  unsigned events = 0;
  if (t.lower_caution) events |= 0x0001U;
  if (t.lower_critical) events |= 0x0004U;
  if (t.upper_caution) events |= 0x0080U;
  if (t.upper_critical) events |= 0x0200U;

  Buffer out{0x20,
             0x00,
             sensor.number,
             entity_of(sensor.kind),
             0x01,
             0x7f,  // initialised: scanning, events, thresholds, hysteresis, type
             0x68,  // auto re-arm, thresholds readable and settable, per-threshold events
             static_cast<std::uint8_t>(sensor.kind),
             0x01};
  put16(out, static_cast<std::uint16_t>(events));
  put16(out, static_cast<std::uint16_t>(events));
  out.push_back(mask);
  out.push_back(mask);                                              // settable
  out.insert(out.end(), {0x00, unit_of(sensor.kind), 0x00, 0x00});  // unsigned, base unit, no modifier, linear
  const int b = static_cast<int>(std::lround(sensor.offset / std::pow(10.0, linear.exponent)));
  out.push_back(static_cast<std::uint8_t>(linear.m & 0xff));
  out.push_back(static_cast<std::uint8_t>((linear.m >> 2) & 0xc0));
  out.push_back(static_cast<std::uint8_t>(b & 0xff));
  out.push_back(static_cast<std::uint8_t>((b >> 2) & 0xc0));
  out.push_back(0x00);
  out.push_back(static_cast<std::uint8_t>((linear.exponent & 0x0f) << 4));  // R exponent, B exponent 0
  out.push_back(0x01);                                                      // nominal reading given
  out.insert(out.end(), {raw_of(sensor, sensor.normal), 0, 0, 0xff, 0x00});
  out.insert(out.end(), {0, limit(sensor, t.upper_critical), limit(sensor, t.upper_caution), 0,
                         limit(sensor, t.lower_critical), limit(sensor, t.lower_caution)});
  out.insert(out.end(), {0x01, 0x01, 0x00, 0x00, 0x00});  // hysteresis, reserved, OEM
  put_name(out, sensor.name, 16);
  return out;
}

Buffer controller_record(const Machine& machine) {
  (void)machine;
  Buffer out{0x20, 0x00, 0x00, 0x9f, 0x00, 0x00, 0x00, 0x07, 0x01, 0x00};
  put_name(out, "BMC", 16);
  return out;
}

Buffer fru_record() {
  Buffer out{0x20, 0x00, 0x80, 0x00, 0x00, 0x10, 0x00, 0x07, 0x01, 0x00};
  put_name(out, "Builtin FRU", 16);
  return out;
}

/// An area of the FRU: text fields, padded to 8 bytes, with a checksum.
Buffer fru_area(Buffer head, std::initializer_list<std::string_view> fields) {
  for (const auto field : fields) put_name(head, field, 0x3f - 1);
  head.push_back(0xc1);
  while ((head.size() + 1) % 8 != 0) head.push_back(0);
  head[1] = static_cast<std::uint8_t>((head.size() + 1) / 8);
  head.push_back(checksum(head));
  return head;
}

}  // namespace

std::uint8_t raw_of(const Sensor& sensor, double value) {
  return static_cast<std::uint8_t>(std::clamp(std::round((value - sensor.offset) / sensor.scale), 0.0, 255.0));
}

std::uint8_t threshold_mask(const Thresholds& t) {
  return static_cast<std::uint8_t>((t.lower_caution ? 0x01U : 0U) | (t.lower_critical ? 0x02U : 0U) |
                                   (t.upper_caution ? 0x08U : 0U) | (t.upper_critical ? 0x10U : 0U));
}

std::size_t sensor_record_count(const Machine& machine) { return machine.hardware().sensors.size() + 2; }

Buffer sensor_record(const Machine& machine, std::size_t index) {
  const auto& sensors = machine.hardware().sensors;
  const bool sensor = index < sensors.size();
  const bool controller = index == sensors.size();
  const Buffer body = sensor       ? full_record(machine, sensors[index])
                      : controller ? controller_record(machine)
                                   : fru_record();
  Buffer out;
  put16(out, static_cast<std::uint16_t>(index + 1));
  out.insert(out.end(), {kSdrVersion,
                         sensor       ? kFullRecord
                         : controller ? kControllerLocator
                                      : kFruLocator,
                         static_cast<std::uint8_t>(body.size())});
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

Buffer fru_image(const Machine& machine) {
  const auto& hardware = machine.hardware();
  const auto& identity = machine.identity;
  const Buffer chassis = fru_area({0x01, 0x00, 0x17}, {hardware.part_number, identity.serial});
  const Buffer board = fru_area({0x01, 0x00, 0x00, 0x00, 0x00, 0x00},
                                {hardware.manufacturer, hardware.model, identity.serial, hardware.part_number, ""});
  const Buffer product = fru_area({0x01, 0x00, 0x00}, {hardware.manufacturer, hardware.model, hardware.part_number,
                                                       "01", identity.serial, identity.asset_tag, ""});
  const std::size_t board_at = 8 + chassis.size();
  const std::size_t product_at = board_at + board.size();
  Buffer out{0x01, 0x00, 0x01, static_cast<std::uint8_t>(board_at / 8), static_cast<std::uint8_t>(product_at / 8),
             0x00, 0x00};
  out.push_back(checksum(out));
  for (const auto* area : {&chassis, &board, &product}) out.insert(out.end(), area->begin(), area->end());
  out.resize(kFruSize, 0);
  return out;
}

}  // namespace nimbus::simulator::ipmi
