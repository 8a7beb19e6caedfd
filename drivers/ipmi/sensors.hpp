// Reading all sensors of a BMC (IPMI v2.0 rev 1.1, section 35). Thread rule: as Client.
#pragma once

#include <vector>

#include "core/call.hpp"
#include "core/health.hpp"
#include "core/result.hpp"
#include "drivers/ipmi/client.hpp"
#include "drivers/ipmi/repository.hpp"

namespace nimbus::ipmi {

/// `data` is the answer to Get Sensor Reading, `record` with the factors to use. A
/// sensor that is not scanned or has no reading has no value and unknown health.
SensorReading parse_reading(const SensorRecord& record, Bytes data);

/// Sensors of the BMC itself; those of controllers behind it are left out. Errors: of
/// the connection and the repository; a sensor that refuses has no value.
Result<std::vector<SensorReading>> read_sensors(Client& client, SdrRepository& repository, const Call& call);

}  // namespace nimbus::ipmi
