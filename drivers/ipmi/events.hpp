// States of sensors in words (IPMI v2.0 rev 1.1, section 42): for readings of
// discrete sensors and for entries of the event log. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "core/health.hpp"
#include "drivers/ipmi/sdr.hpp"

namespace nimbus::ipmi {

struct StateText {
  std::string words;
  Health health = Health::Unknown;
  friend bool operator==(const StateText&, const StateText&) = default;
};

/// One state of a discrete sensor. States that only the maker knows are numbers, of
/// unknown health.
StateText describe_state(std::uint8_t sensor_type, std::uint8_t event_type, std::uint8_t offset);
/// All asserted states, and the worst of their healths; none: no words, Ok.
StateText describe_states(std::uint8_t sensor_type, std::uint8_t event_type, std::uint16_t states);
/// A limit that a reading went over, by the offset of a threshold event.
StateText describe_limit(std::uint8_t offset);
/// Which limits a reading is beyond (Get Sensor Reading, section 35.14, byte 4).
Health health_of_comparison(std::uint8_t beyond) noexcept;
/// "Temperature", "Power supply"; a number for makers' own.
std::string sensor_type_text(std::uint8_t sensor_type);

}  // namespace nimbus::ipmi
