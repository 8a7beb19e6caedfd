// What a fleet file says about the virtual machine behind a machine, and QEMU's command
// line for one start of it. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "simulator/model/boot.hpp"

namespace nimbus::simulator {

enum class DiskBus : std::uint8_t { Virtio, Nvme, Sata };

struct VirtualMachineSpec {
  std::string folder;                  // for sockets and UEFI variables
  std::string disk;                    // an image; its format is probed by name: *.qcow2, else raw
  std::string data_disk;               // a second one, raw; empty: none
  std::string network_namespace;       // name as of `ip netns`; empty: the simulator's own
  std::string tap;                     // an existing tap device in there; empty: no network
  DiskBus disk_bus = DiskBus::Virtio;  // of both
  unsigned disk_gib = 0;               // raw images of this size are made where there are none; 0: must be there
  unsigned memory_mib = 512;
  unsigned cpus = 1;
  std::string program = "qemu-system-x86_64";
  std::string uefi_code = "/usr/share/OVMF/OVMF_CODE_4M.fd";
  std::string uefi_variables = "/usr/share/OVMF/OVMF_VARS_4M.fd";  // copied for each machine
  friend bool operator==(const VirtualMachineSpec&, const VirtualMachineSpec&) = default;
};

/// What the guest finds in its firmware tables and on its buses.
struct VirtualMachineIdentity {
  std::string mac;
  std::string uuid;
  std::string manufacturer;
  std::string model;
  std::string serial;
  std::string disk_serial;
  std::string data_disk_serial;
};

/// Boot order as QEMU's devices have it: 1 is first. The record's device comes first, then its order; sticks and
/// the like are passed over.
struct BootIndexes {
  int disk = 1;
  int network = 2;
  int disc = 3;
  friend bool operator==(const BootIndexes&, const BootIndexes&) = default;
};
BootIndexes boot_indexes(const BootRecord& boot);

std::string qmp_path(const VirtualMachineSpec& spec);
std::string serial_path(const VirtualMachineSpec& spec);
/// Everything that the machine ever printed; the sockets show what it prints now.
std::string serial_log_path(const VirtualMachineSpec& spec);
std::string variables_path(const VirtualMachineSpec& spec);

/// Emulated (TCG) always: a device node for KVM says nothing about whether a kernel boots
/// on it. Starts paused; the disc drive is empty.
std::vector<std::string> qemu_arguments(const VirtualMachineSpec& spec, const VirtualMachineIdentity& identity,
                                        const BootRecord& boot);

}  // namespace nimbus::simulator
