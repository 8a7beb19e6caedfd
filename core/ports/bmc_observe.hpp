// Aspects of a BMC that only read: inventory, firmware versions, sensors, event log.
// Thread rule and common errors: core/ports/bmc.hpp.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/call.hpp"
#include "core/health.hpp"
#include "core/inventory.hpp"
#include "core/result.hpp"

namespace nimbus {

class BmcInventory {
 public:
  virtual ~BmcInventory() = default;
  /// A walk over many resources: seconds, on slow BMCs a minute. What is missing or
  /// fails in part is left out; the whole fails only if nothing could be read.
  virtual Result<Inventory> inventory(const Call& call) = 0;
  virtual Result<std::vector<FirmwareVersion>> firmware(const Call& call) = 0;
};

class BmcSensors {
 public:
  virtual ~BmcSensors() = default;
  virtual Result<std::vector<SensorReading>> sensors(const Call& call) = 0;
};

class BmcEventLog {
 public:
  virtual ~BmcEventLog() = default;
  /// The newest `most` entries, oldest first.
  virtual Result<std::vector<LogEntry>> entries(std::size_t most, const Call& call) = 0;
};

}  // namespace nimbus
