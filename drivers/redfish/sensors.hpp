// Sensors of the chassis that a System is in: Thermal and Power where they are (two
// reads), else the Sensors list of the newer schema.
#pragma once

#include <vector>

#include "base/json/json.hpp"
#include "core/ports/bmc_observe.hpp"
#include "drivers/redfish/machine.hpp"

namespace nimbus::redfish {

/// Thread rule: as Machine, which must outlive this.
class SensorReader final : public BmcSensors {
 public:
  explicit SensorReader(Machine& machine) : machine_(machine) {}
  Result<std::vector<SensorReading>> sensors(const Call& call) override;

 private:
  Machine& machine_;
};

/// Pure: what the documents say (DSP2046: Thermal, Power, Sensor). Absent parts are left out.
std::vector<SensorReading> read_thermal(const base::Json& json);
std::vector<SensorReading> read_power_readings(const base::Json& json);
SensorReading read_sensor(const base::Json& json);

}  // namespace nimbus::redfish
