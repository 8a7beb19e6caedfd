// Health as BMCs show it: sensor readings and their event log.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/choice.hpp"
#include "core/time.hpp"

namespace nimbus {

enum class Health : std::uint8_t { Unknown, Ok, Warning, Critical };
template <>
inline constexpr auto kChoiceNames<Health> = choice_names("unknown", "ok", "warning", "critical");

enum class SensorKind : std::uint8_t { Other, Temperature, Fan, Voltage, Current, Power, Energy, Humidity };
template <>
inline constexpr auto kChoiceNames<SensorKind> = choice_names("other", "temperature", "fan", "voltage", "current",
                                                              "power", "energy", "humidity");

/// One sensor. Units by kind: °C, RPM or % (`unit` says), V, A, W, J, %.
struct SensorReading {
  std::string name;
  SensorKind kind = SensorKind::Other;
  std::string unit;             // "Cel", "RPM", "%", "V", "A", "W", "J"; empty: discrete
  std::optional<double> value;  // nothing: absent, disabled, or a discrete sensor
  std::string state;            // discrete sensors: what is asserted, in words
  Health health = Health::Unknown;
  friend bool operator==(const SensorReading&, const SensorReading&) = default;
};

/// One entry of the BMC's event log (IPMI SEL, Redfish LogEntry).
struct LogEntry {
  std::string id;                // the BMC's own; grows, and may start again after a clear
  std::optional<WallTime> when;  // the BMC's clock; nothing: it had none
  Health severity = Health::Unknown;
  std::string sensor, message;
  friend bool operator==(const LogEntry&, const LogEntry&) = default;
};

}  // namespace nimbus
