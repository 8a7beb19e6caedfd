// Sensor data records and FRU images of a machine, built from its hardware.
//
// Sources: IPMI 2.0, section 43 (SDR); Platform Management FRU Information Storage
// Definition 1.0 rev 1.3 (FRU). Pure functions.
#pragma once

#include "simulator/ipmi/packet.hpp"
#include "simulator/model/machine.hpp"

namespace nimbus::simulator::ipmi {

/// Records 1, 2, 3 …: one full record per sensor, then the BMC and its FRU.
std::size_t sensor_record_count(const Machine& machine);
Buffer sensor_record(const Machine& machine, std::size_t index);

/// What a threshold sensor sends for `value`.
std::uint8_t raw_of(const Sensor& sensor, double value);
std::uint8_t threshold_mask(const Thresholds& thresholds);

Buffer fru_image(const Machine& machine);
inline constexpr std::size_t kFruSize = 512;

}  // namespace nimbus::simulator::ipmi
