#include "drivers/ipmi/sdr.hpp"

#include <algorithm>
#include <cmath>

#include "drivers/ipmi/fru.hpp"

namespace nimbus::ipmi {
namespace {

// Record types, table 43-1 and following.
constexpr std::uint8_t kFullSensor = 0x01;
constexpr std::uint8_t kCompactSensor = 0x02;
constexpr std::uint8_t kEventOnlySensor = 0x03;
constexpr std::uint8_t kFruLocator = 0x11;

/// The lowest `bits` bits as a two's complement number.
int signed_of(unsigned value, unsigned bits) noexcept {
  const unsigned top = 1U << (bits - 1);
  value &= (1U << bits) - 1;
  return (value & top) != 0 ? static_cast<int>(value) - static_cast<int>(1U << bits) : static_cast<int>(value);
}

std::string read_name(Reader& in) {
  const std::uint8_t head = in.u8();
  // Some BMCs count more than the record holds: what is there is the name.
  return decode_text(head >> 6U, in.bytes(std::min<std::size_t>(head & 0x1FU, in.left())));
}

SensorFormula read_formula_units(Reader& in) {
  SensorFormula formula;
  const std::uint8_t units = in.u8();
  formula.format = static_cast<AnalogFormat>(units >> 6U);
  formula.percent = (units & 0x01U) != 0;
  formula.base_unit = in.u8();
  in.u8();  // modifier unit
  return formula;
}

SensorRecord read_sensor(Reader& in, std::uint8_t type) {
  SensorRecord sensor;
  sensor.owner = in.u8();
  sensor.lun = in.u8() & 0x03U;
  sensor.number = in.u8();
  in.bytes(2);                                // entity and its instance
  if (type != kEventOnlySensor) in.bytes(2);  // initialization, capabilities
  sensor.sensor_type = in.u8();
  sensor.event_type = in.u8();
  if (type == kEventOnlySensor) {
    sensor.readable = false;
    in.bytes(4);  // sharing, reserved, OEM
    sensor.name = read_name(in);
    return sensor;
  }
  in.bytes(6);  // masks
  sensor.formula = read_formula_units(in);
  if (type == kCompactSensor) {
    // Only full records say how to calculate.
    sensor.formula.format = AnalogFormat::None;
    sensor.shared = std::max<std::uint8_t>(in.u8() & 0x0FU, 1);
    in.bytes(7);  // modifier offset, hysteresis, reserved, OEM
    sensor.name = read_name(in);
    return sensor;
  }
  sensor.formula.linearization = in.u8() & 0x7FU;
  const auto factors = in.bytes(6);
  if (in.ok()) sensor.formula.factors = parse_factors(factors);
  in.bytes(17);  // characteristics, nominal, limits, hysteresis, reserved, OEM
  sensor.name = read_name(in);
  return sensor;
}

FruLocator read_fru_locator(Reader& in, bool& logical) {
  FruLocator fru;
  in.u8();  // address of the controller
  fru.device = in.u8();
  logical = (in.u8() & 0x80U) != 0;
  in.bytes(4);  // channel, reserved, device type and modifier
  fru.entity = in.u8();
  in.bytes(2);  // instance, OEM
  fru.name = read_name(in);
  return fru;
}

double raw_value(AnalogFormat format, std::uint8_t raw) noexcept {
  if (format == AnalogFormat::Unsigned) return raw;
  if (format == AnalogFormat::TwosComplement) return signed_of(raw, 8);
  return (raw & 0x80U) != 0 ? -static_cast<double>(static_cast<std::uint8_t>(~raw)) : raw;
}

double linearize(std::uint8_t linearization, double value) noexcept {
  switch (linearization) {
    case 0x01:
      return std::log(value);
    case 0x02:
      return std::log10(value);
    case 0x03:
      return std::log2(value);
    case 0x04:
      return std::exp(value);
    case 0x05:
      return std::pow(10.0, value);
    case 0x06:
      return std::exp2(value);
    case 0x07:
      return 1.0 / value;
    case 0x08:
      return value * value;
    case 0x09:
      return value * value * value;
    case 0x0A:
      return std::sqrt(value);
    case 0x0B:
      return std::cbrt(value);
    default:
      return value;  // linear, or factors per reading
  }
}

}  // namespace

SensorFactors parse_factors(Bytes six) {
  Reader in(six);
  const unsigned m_low = in.u8();
  const unsigned m_high = in.u8() >> 6U;
  const unsigned b_low = in.u8();
  const unsigned b_high = in.u8() >> 6U;
  in.u8();  // accuracy
  const unsigned exponents = in.u8();
  return {.m = signed_of(m_high << 8U | m_low, 10),
          .b = signed_of(b_high << 8U | b_low, 10),
          .b_exponent = signed_of(exponents & 0x0FU, 4),
          .result_exponent = signed_of(exponents >> 4U, 4)};
}

std::optional<double> convert(const SensorFormula& formula, std::uint8_t raw) {
  if (formula.format == AnalogFormat::None) return std::nullopt;
  const auto& f = formula.factors;
  const double linear =
      (f.m * raw_value(formula.format, raw) + f.b * std::pow(10.0, f.b_exponent)) * std::pow(10.0, f.result_exponent);
  const double value = linearize(formula.linearization, linear);
  if (!std::isfinite(value)) return std::nullopt;
  return value;
}

SensorUnit unit_of(const SensorFormula& formula, std::uint8_t sensor_type) noexcept {
  constexpr std::uint8_t kFanType = 0x04;
  constexpr std::uint8_t kPowerSupplyType = 0x08;
  if (formula.percent) {
    if (sensor_type == kFanType) return {SensorKind::Fan, "%"};
    return {sensor_type == kPowerSupplyType ? SensorKind::Power : SensorKind::Other, "%"};
  }
  switch (formula.base_unit) {
    case 1:
    case 2:
    case 3:
      return {SensorKind::Temperature, "Cel"};
    case 4:
      return {SensorKind::Voltage, "V"};
    case 5:
      return {SensorKind::Current, "A"};
    case 6:
      return {SensorKind::Power, "W"};
    case 7:
      return {SensorKind::Energy, "J"};
    case 18:
      return {SensorKind::Fan, "RPM"};
    default:
      return {};
  }
}

double in_our_unit(const SensorFormula& formula, double value) noexcept {
  if (formula.percent) return value;
  if (formula.base_unit == 2) return (value - 32.0) / 1.8;
  if (formula.base_unit == 3) return value - 273.15;
  return value;
}

Result<SdrRecord> parse_sdr(Bytes record) {
  Reader in(record);
  in.bytes(3);  // id, version
  const std::uint8_t type = in.u8();
  const std::size_t length = in.u8();
  Reader body(in.bytes(length));
  SdrRecord out;
  bool logical = true;
  if (!in.ok()) return Error{Code::Corrupt, "sensor data record: cut short"};
  if (type == kFullSensor || type == kCompactSensor || type == kEventOnlySensor) {
    out.sensor = read_sensor(body, type);
  } else if (type == kFruLocator) {
    out.fru = read_fru_locator(body, logical);
    if (!logical) out.fru.reset();  // behind a private bus: not ours to read
  }
  if (!body.ok()) return Error{Code::Corrupt, "sensor data record: shorter than its type"};
  return out;
}

}  // namespace nimbus::ipmi
