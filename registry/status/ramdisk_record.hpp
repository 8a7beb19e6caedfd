// What the installer saw from inside the machine, as its status document tells it: the
// table "ramdisk". Lists are cut at their bounds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/desired/machine.hpp"
#include "core/drift.hpp"

namespace nimbus::registry {

struct RamdiskRecord {
  static constexpr std::size_t kNeighbours = 32;
  static constexpr std::size_t kPci = 64;

  /// What a switch said on the wire of one NIC (LLDP).
  struct Neighbour {
    std::string nic, system, chassis, port;
    friend bool operator==(const Neighbour&, const Neighbour&) = default;
  };
  struct Pci {
    std::string address, kind, id;  // "0000:3b:00.0", "020000", "8086:1592"
    friend bool operator==(const Pci&, const Pci&) = default;
  };
  static constexpr std::size_t kDisks = 64;
  static constexpr std::size_t kMacs = 32;
  struct Disk {
    std::string id, serial;
    std::int64_t bytes = 0;
    friend bool operator==(const Disk&, const Disk&) = default;
  };
  std::string tpm;                // "2.0", "1.2"; empty: none seen
  std::int64_t cpus = 0;          // processors that the kernel sees; 0: not told
  std::int64_t memory_bytes = 0;  // less what firmware and kernel keep
  std::vector<Disk> disks;
  std::vector<std::string> macs;
  std::vector<Neighbour> neighbours;
  std::vector<Pci> pci;
  friend bool operator==(const RamdiskRecord&, const RamdiskRecord&) = default;
};

/// Cabling: only NICs that declare a switch or a port, and on which something was heard.
/// A switch is known by the name that it gives itself, or by its chassis.
std::vector<Drift> compare_cabling(const HardwareDeclaration& declared, const RamdiskRecord& seen);

/// Processors, memory, disks and NICs: what is declared and was not seen from inside. A
/// machine may have more than is declared.
std::vector<Drift> compare_inside(const HardwareDeclaration& declared, const RamdiskRecord& seen);

}  // namespace nimbus::registry
