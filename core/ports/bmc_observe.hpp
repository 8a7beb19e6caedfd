// Aspects of a BMC that only read: inventory, firmware versions, sensors, event log,
// the BMC's own network settings.
// Thread rule and common errors: core/ports/bmc.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
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
  /// The newest `most` entries, oldest first. A driver may keep fewer than were asked
  /// for, but at least 1,000 where the BMC has them.
  virtual Result<std::vector<LogEntry>> entries(std::size_t most, const Call& call) = 0;
};

enum class AddressSource : std::uint8_t { Unknown, Static, Dhcp, Other };

/// How the BMC itself is on the network. Empty: not told, or not set.
struct BmcNetworkSettings {
  std::string address, mask, gateway;
  std::string mac;  // lower case with colons
  AddressSource source = AddressSource::Unknown;
  std::optional<std::uint16_t> vlan;
  friend bool operator==(const BmcNetworkSettings&, const BmcNetworkSettings&) = default;
};

class BmcNetwork {
 public:
  virtual ~BmcNetwork() = default;
  virtual Result<BmcNetworkSettings> network(const Call& call) = 0;
};

}  // namespace nimbus
