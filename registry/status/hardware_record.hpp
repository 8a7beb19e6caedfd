// What inspection found in a machine, as its status document tells it: the table
// "hardware". Only what stays the same while nobody opens the machine: links, speeds and
// readings are telemetry. Lists are sorted and cut at their bounds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/inventory.hpp"

namespace nimbus::registry {

struct HardwareRecord {
  static constexpr std::size_t kParts = 128;  // of each list

  struct Cpu {
    std::string socket, model;
    std::optional<std::int64_t> cores;
    friend bool operator==(const Cpu&, const Cpu&) = default;
    friend auto operator<=>(const Cpu&, const Cpu&) = default;
  };
  struct Module {
    std::string slot, part_number, serial;
    std::optional<std::int64_t> size_mib;
    friend bool operator==(const Module&, const Module&) = default;
    friend auto operator<=>(const Module&, const Module&) = default;
  };
  struct Disk {
    std::string slot, model, serial, type;
    std::optional<std::int64_t> size_bytes;
    friend bool operator==(const Disk&, const Disk&) = default;
    friend auto operator<=>(const Disk&, const Disk&) = default;
  };
  struct Nic {
    std::string name, mac;
    friend bool operator==(const Nic&, const Nic&) = default;
    friend auto operator<=>(const Nic&, const Nic&) = default;
  };
  struct Firmware {
    std::string component, version;
    friend bool operator==(const Firmware&, const Firmware&) = default;
    friend auto operator<=>(const Firmware&, const Firmware&) = default;
  };

  std::string vendor, product, part_number, serial;
  std::optional<std::int64_t> memory_mib;  // the sum that the BMC states
  std::optional<bool> secure_boot;         // the running start used it
  std::vector<std::string> boot_order;     // as the firmware calls its entries
  std::vector<Cpu> cpus;
  std::vector<Module> modules;
  std::vector<Disk> disks;
  std::vector<Nic> nics;
  std::vector<Firmware> firmware;

  friend bool operator==(const HardwareRecord&, const HardwareRecord&) = default;
};

HardwareRecord hardware_record(const Inventory& inventory, const std::vector<FirmwareVersion>& firmware,
                               std::optional<bool> secure_boot);

}  // namespace nimbus::registry
