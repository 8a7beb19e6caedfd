#include "simulator/qemu/virtual_machine.hpp"

#include <fmt/format.h>

namespace nimbus::simulator {
namespace {

constexpr std::size_t kMostDiskSerial = 20;  // what a virtio disk has room for

/// In a value of QEMU's options a comma is written twice.
std::string escaped(std::string_view value) {
  std::string out;
  for (const char c : value) out.append(c == ',' ? 2U : 1U, c);
  return out;
}

std::string serial_of(const std::string& disk) { return escaped(disk.substr(0, kMostDiskSerial)); }

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
  const auto* const kind = spec.nvme ? "nvme" : "virtio-blk-pci";
  add("-drive", fmt::format("if=none,id=drive0,file={},format={},cache=unsafe", spec.disk, qcow2 ? "qcow2" : "raw"));
  add("-device", fmt::format("{},drive=drive0,id=disk0,serial={},bootindex={}", kind, serial_of(identity.disk_serial),
                             indexes.disk));
  if (!spec.data_disk.empty()) {
    add("-drive", fmt::format("if=none,id=drive1,file={},format=raw,cache=unsafe", spec.data_disk));
    add("-device", fmt::format("{},drive=drive1,id=disk1,serial={}", kind, serial_of(identity.data_disk_serial)));
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
