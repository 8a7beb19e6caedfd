// What the documents below a System say about parts (DSP2046: Processor, Memory, Drive,
// SimpleStorage, EthernetInterface, NetworkDeviceFunction, SoftwareInventory).
// Thread rule: pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json/json.hpp"
#include "core/inventory.hpp"

namespace nimbus::redfish {

/// Nothing: an empty socket, or no CPU (accelerators are listed as processors too).
std::optional<Processor> read_processor(const base::Json& json);
/// Nothing: an empty slot.
std::optional<MemoryModule> read_memory_module(const base::Json& json);
/// Nothing: an empty bay.
std::optional<Drive> read_drive(const base::Json& json);
/// The devices of a SimpleStorage that are there.
std::vector<Drive> read_simple_devices(const base::Json& json);
/// An EthernetInterface or a NetworkDeviceFunction. Nothing: it has no MAC address.
std::optional<NetworkPort> read_network_port(const base::Json& json);
/// Nothing: a version that is not in force (iDRAC lists the previous and the available).
std::optional<FirmwareVersion> read_firmware(const base::Json& json);

/// "AABBCCDDEEFF", "aa-bb-…", "AA:BB:…" as "aa:bb:cc:dd:ee:ff"; "" for anything else and
/// for all zero or all F.
std::string normalize_mac(std::string_view text);

}  // namespace nimbus::redfish
