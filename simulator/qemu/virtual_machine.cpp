#include "simulator/qemu/virtual_machine.hpp"

#include <fmt/format.h>

namespace nimbus::simulator {
namespace {

constexpr std::size_t kMostDiskSerial = 20;  // what virtio, NVMe and ATA disks have room for

/// In a value of QEMU's options a comma is written twice.
std::string escaped(std::string_view value) {
  std::string out;
  for (const char c : value) out.append(c == ',' ? 2U : 1U, c);
  return out;
}

std::string serial_of(const std::string& disk) { return escaped(disk.substr(0, kMostDiskSerial)); }

/// NAA 5, as a maker of disks would give it: a disk keeps it over restarts.
std::uint64_t world_wide_name(std::string_view disk_serial) {
  constexpr std::uint64_t kNaa5 = 5, kBasis = 0xcbf29ce484222325U, kPrime = 0x100000001b3U;  // FNV-1a
  std::uint64_t hash = kBasis;
  for (const char c : disk_serial) hash = (hash ^ static_cast<unsigned char>(c)) * kPrime;
  return kNaa5 << 60U | hash >> 4U;
}

/// SATA disks have a controller of their own (AHCI) on either machine type.
std::string disk_device(DiskBus bus, int number, const std::string& disk_serial) {
  const std::string serial = serial_of(disk_serial);
  switch (bus) {
    case DiskBus::Virtio:
      return fmt::format("virtio-blk-pci,drive=drive{0},id=disk{0},serial={1}", number, serial);
    case DiskBus::Nvme:
      return fmt::format("nvme,drive=drive{0},id=disk{0},serial={1}", number, serial);
    case DiskBus::Sata:
      return fmt::format("ide-hd,bus=sata.{0},drive=drive{0},id=disk{0},serial={1},wwn={2:#x}", number, serial,
                         world_wide_name(disk_serial));
  }
  return {};
}

/// Nothing for what the virtual machine does not have.
int* index_of(BootIndexes& indexes, BootDevice device) noexcept {
  switch (device) {
    case BootDevice::Pxe:
    case BootDevice::UefiHttp:
      return &indexes.network;
    case BootDevice::Cd:
    case BootDevice::RemoteCd:
      return &indexes.disc;
    case BootDevice::Disk:
      return &indexes.disk;
    case BootDevice::None:
    case BootDevice::Usb:
    case BootDevice::Floppy:
    case BootDevice::Setup:
    case BootDevice::Diagnostics:
    case BootDevice::SafeMode:
    case BootDevice::UefiTarget:
      return nullptr;
  }
  return nullptr;
}

}  // namespace

BootIndexes boot_indexes(const BootRecord& boot) {
  BootIndexes out{.disk = 0, .network = 0, .disc = 0};
  int next = 1;
  const auto place = [&](BootDevice device) {
    if (int* index = index_of(out, device); index != nullptr && *index == 0) *index = next++;
  };
  place(boot.device);
  for (const auto device : boot.order) place(device);
  for (const auto device : {BootDevice::Disk, BootDevice::Pxe, BootDevice::Cd}) place(device);
  return out;
}

std::string qmp_path(const VirtualMachineSpec& spec) { return spec.folder + "/qmp.sock"; }
std::string serial_path(const VirtualMachineSpec& spec) { return spec.folder + "/serial.sock"; }
std::string serial_log_path(const VirtualMachineSpec& spec) { return spec.folder + "/serial.log"; }
std::string variables_path(const VirtualMachineSpec& spec) { return spec.folder + "/uefi-variables.fd"; }

std::vector<std::string> qemu_arguments(const VirtualMachineSpec& spec, const VirtualMachineIdentity& identity,
                                        const BootRecord& boot) {
  const BootIndexes indexes = boot_indexes(boot);
  const bool uefi = boot.mode == BootMode::Uefi;
  std::vector<std::string> out{spec.program, "-nodefaults", "-display",        "none",
                               "-vga",       "none",        "-no-user-config", "-S"};
  const auto add = [&out](std::string flag, std::string value) {
    out.push_back(std::move(flag));
    out.push_back(std::move(value));
  };
  add("-accel", "tcg,thread=multi,tb-size=256");
  add("-cpu", "qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt,+rdrand");  // rdrand: a guest does not wait for entropy
  add("-m", std::to_string(spec.memory_mib));
  add("-smp", std::to_string(spec.cpus));
  add("-machine", uefi ? "q35" : "pc,graphics=off");  // without graphics, the BIOS talks to the serial line
  add("-boot", "strict=on");
  if (!identity.uuid.empty()) add("-uuid", identity.uuid);
  add("-smbios", fmt::format("type=1,manufacturer={},product={},serial={}", escaped(identity.manufacturer),
                             escaped(identity.model), escaped(identity.serial)));
  if (uefi) {
    add("-drive", fmt::format("if=pflash,unit=0,format=raw,readonly=on,file={}", spec.uefi_code));
    add("-drive", fmt::format("if=pflash,unit=1,format=raw,file={}", variables_path(spec)));
  }
  add("-qmp", fmt::format("unix:{},server=on,wait=off", qmp_path(spec)));
  add("-chardev", fmt::format("socket,id=serial0,path={},server=on,wait=off,logfile={},logappend=on", serial_path(spec),
                              serial_log_path(spec)));
  add("-serial", "chardev:serial0");
  const bool qcow2 = spec.disk.ends_with(".qcow2");
  if (spec.disk_bus == DiskBus::Sata) add("-device", "ich9-ahci,id=sata");
  add("-drive", fmt::format("if=none,id=drive0,file={},format={},cache=unsafe", spec.disk, qcow2 ? "qcow2" : "raw"));
  add("-device", disk_device(spec.disk_bus, 0, identity.disk_serial) + fmt::format(",bootindex={}", indexes.disk));
  if (!spec.data_disk.empty()) {
    add("-drive", fmt::format("if=none,id=drive1,file={},format=raw,cache=unsafe", spec.data_disk));
    add("-device", disk_device(spec.disk_bus, 1, identity.data_disk_serial));
  }
  add("-device", fmt::format("ide-cd,id=cd0,bus=ide.1,bootindex={}", indexes.disc));
  if (!spec.tap.empty()) {
    add("-netdev", fmt::format("tap,id=net0,ifname={},script=no,downscript=no", spec.tap));
    add("-device",
        fmt::format("virtio-net-pci,netdev=net0,id=nic0,mac={},bootindex={}", identity.mac, indexes.network));
  }
  return out;
}

}  // namespace nimbus::simulator
