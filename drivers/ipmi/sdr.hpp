// Sensor Data Records (IPMI v2.0 rev 1.1, section 43): which sensors and inventories
// a BMC has, and what a raw reading means. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/health.hpp"
#include "core/result.hpp"
#include "drivers/ipmi/wire.hpp"

namespace nimbus::ipmi {

inline constexpr std::size_t kSdrHeaderBytes = 5;
inline constexpr std::uint8_t kThresholdEvents = 0x01;       // event/reading type: compared with limits
inline constexpr std::uint8_t kSensorSpecificStates = 0x6F;  // event/reading type: states by sensor type

/// How a raw byte becomes a value (section 36.3): y = L[(M x + B 10^K1) 10^K2].
struct SensorFactors {
  int m = 1;
  int b = 0;
  int b_exponent = 0;
  int result_exponent = 0;
  friend bool operator==(const SensorFactors&, const SensorFactors&) = default;
};
/// The six bytes of factors as they stand in a full record from byte 25 on, and in the
/// answer to Get Sensor Reading Factors.
SensorFactors parse_factors(Bytes six);

enum class AnalogFormat : std::uint8_t { Unsigned, OnesComplement, TwosComplement, None };

struct SensorFormula {
  AnalogFormat format = AnalogFormat::None;
  std::uint8_t linearization = 0;  // 0x00 to 0x0B, table 43-1; from 0x70 on: factors per reading
  std::uint8_t base_unit = 0;      // table 43-15
  bool percent = false;
  SensorFactors factors;

  bool needs_factors_per_reading() const noexcept { return linearization >= 0x70; }
  friend bool operator==(const SensorFormula&, const SensorFormula&) = default;
};
/// Nothing if the sensor has no numbers, or the formula gives none (logarithm of 0).
std::optional<double> convert(const SensorFormula& formula, std::uint8_t raw);

struct SensorUnit {
  SensorKind kind = SensorKind::Other;
  std::string_view unit;  // of SensorReading
};
/// What the sensor measures, by its unit first and its type second.
SensorUnit unit_of(const SensorFormula& formula, std::uint8_t sensor_type) noexcept;
/// `value` in the unit that unit_of() names (Fahrenheit and Kelvin become Celsius).
double in_our_unit(const SensorFormula& formula, double value) noexcept;

struct SensorRecord {
  std::uint8_t owner = 0;  // 0x20: the BMC itself
  std::uint8_t lun = 0;
  std::uint8_t number = 0;
  std::uint8_t sensor_type = 0;
  std::uint8_t event_type = 0;
  bool readable = true;     // event-only records are not
  std::uint8_t shared = 1;  // a compact record may stand for several sensors with successive numbers
  SensorFormula formula;
  std::string name;

  friend bool operator==(const SensorRecord&, const SensorRecord&) = default;
};

/// An inventory device beside FRU 0.
struct FruLocator {
  std::uint8_t device = 0;
  std::uint8_t entity = 0;  // table 43-13
  std::string name;
  friend bool operator==(const FruLocator&, const FruLocator&) = default;
};

struct SdrRecord {
  std::optional<SensorRecord> sensor;
  std::optional<FruLocator> fru;
};
/// `record` is one whole record with its header. Types that we do not use give neither.
/// Errors: Corrupt (cut short).
Result<SdrRecord> parse_sdr(Bytes record);

}  // namespace nimbus::ipmi
