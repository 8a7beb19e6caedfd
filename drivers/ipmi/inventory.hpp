// What IPMI tells about the parts of a machine: inventory devices (FRU), the BMC's
// firmware, its network settings. Thread rule: as Client.
#pragma once

#include <vector>

#include "core/call.hpp"
#include "core/inventory.hpp"
#include "core/ports/bmc_observe.hpp"
#include "core/result.hpp"
#include "drivers/ipmi/client.hpp"
#include "drivers/ipmi/device.hpp"
#include "drivers/ipmi/repository.hpp"

namespace nimbus::ipmi {

/// The machine itself from FRU 0. Pure.
Inventory describe_machine(const Fru& fru);

/// The machine from FRU 0, memory modules and processors from the other devices that
/// the sensor records name. IPMI knows no drives and no network ports.
Result<Inventory> read_inventory(Client& client, SdrRepository& repository, const Call& call);

/// The BMC's own firmware (Get Device ID).
Result<std::vector<FirmwareVersion>> read_firmware(Client& client, const Call& call);

/// Values of LAN parameters 3, 4, 5, 6, 12 and 20 (section 23.2); empty: not told. A value of another size than the
/// parameter has counts as not told.
struct LanValues {
  Bytes address, source, mac, mask, gateway, vlan;
};
BmcNetworkSettings describe_network(const LanValues& values);

/// Get LAN Configuration Parameters, section 23.2. Values that are refused stay empty.
Result<BmcNetworkSettings> read_network(Client& client, const Call& call);

}  // namespace nimbus::ipmi
