// What is built into a machine, as its BMC or its own firmware tells it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace nimbus {

/// An empty string or nothing: not told. Sizes are in bytes.
struct Processor {
  std::string socket, vendor, model;
  std::optional<std::uint32_t> cores, threads;
  friend bool operator==(const Processor&, const Processor&) = default;
};

struct MemoryModule {
  std::string slot, vendor, part_number, serial;
  std::optional<std::uint64_t> size;
  friend bool operator==(const MemoryModule&, const MemoryModule&) = default;
};

enum class DriveKind : std::uint8_t { Unknown, Hdd, Ssd, Nvme };

struct Drive {
  std::string slot, vendor, model, serial, wwn;
  DriveKind kind = DriveKind::Unknown;
  std::optional<std::uint64_t> size;
  friend bool operator==(const Drive&, const Drive&) = default;
};

struct NetworkPort {
  std::string name, mac;  // lower case with colons
  std::optional<bool> link_up;
  std::optional<std::uint64_t> speed_mbps;
  friend bool operator==(const NetworkPort&, const NetworkPort&) = default;
};

struct PowerSupply {
  std::string slot, vendor, model, part_number, serial;
  std::optional<std::uint32_t> watts;
  std::vector<std::string> outputs;  // for people: "DC output 1: 12.00 V, at most 41.0 A"
  friend bool operator==(const PowerSupply&, const PowerSupply&) = default;
};

/// What the inventory says about how the machine is managed: "system name", "rack7-m17".
struct ManagementNote {
  std::string name, text;
  friend bool operator==(const ManagementNote&, const ManagementNote&) = default;
};

/// A list that is nothing could not be read or is not offered; an empty one was
/// read and is empty.
struct Inventory {
  std::string vendor, product, part_number, serial, asset_tag, uuid;
  std::optional<std::uint64_t> memory;  // the sum that the BMC states
  std::optional<std::vector<Processor>> processors;
  std::optional<std::vector<MemoryModule>> modules;
  std::optional<std::vector<Drive>> drives;
  std::optional<std::vector<NetworkPort>> ports;
  std::optional<std::vector<PowerSupply>> power_supplies;
  std::vector<ManagementNote> management;
  std::vector<std::string> boot_order;  // as the firmware calls its entries; empty: not told
  friend bool operator==(const Inventory&, const Inventory&) = default;
};

/// One part that carries firmware: "BIOS", "BMC", a NIC, a controller.
struct FirmwareVersion {
  std::string component, version;
  friend bool operator==(const FirmwareVersion&, const FirmwareVersion&) = default;
};

}  // namespace nimbus
