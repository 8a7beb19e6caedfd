#include "simulator/qemu/virtual_machine.hpp"

#include <fmt/format.h>

namespace nimbus::simulator {

BootIndexes boot_indexes(BootDevice device) noexcept {
  switch (device) {
    case BootDevice::Pxe:
    case BootDevice::UefiHttp:
      return {.disk = 2, .network = 1, .disc = 3};
    case BootDevice::Cd:
    case BootDevice::RemoteCd:
      return {.disk = 2, .network = 3, .disc = 1};
    case BootDevice::None:
    case BootDevice::Disk:
    case BootDevice::Usb:
    case BootDevice::Floppy:
    case BootDevice::Setup:
    case BootDevice::Diagnostics:
    case BootDevice::SafeMode:
    case BootDevice::UefiTarget:
      return {};
  }
  return {};
}

std::string qmp_path(const VirtualMachineSpec& spec) { return spec.folder + "/qmp.sock"; }
std::string serial_path(const VirtualMachineSpec& spec) { return spec.folder + "/serial.sock"; }
std::string variables_path(const VirtualMachineSpec& spec) { return spec.folder + "/uefi-variables.fd"; }

std::vector<std::string> qemu_arguments(const VirtualMachineSpec& spec, const std::string& mac,
                                        const BootRecord& boot) {
  const BootIndexes indexes = boot_indexes(boot.device);
  const bool uefi = boot.mode == BootMode::Uefi;
  std::vector<std::string> out{spec.program, "-nodefaults", "-display",        "none",
                               "-vga",       "none",        "-no-user-config", "-S"};
  const auto add = [&out](std::string flag, std::string value) {
    out.push_back(std::move(flag));
    out.push_back(std::move(value));
  };
  add("-accel", "tcg,tb-size=256");
  add("-m", std::to_string(spec.memory_mib));
  add("-smp", std::to_string(spec.cpus));
  add("-machine", uefi ? "q35" : "pc,graphics=off");  // without graphics, the BIOS talks to the serial line
  add("-boot", "strict=on");
  if (uefi) {
    add("-drive", fmt::format("if=pflash,unit=0,format=raw,readonly=on,file={}", spec.uefi_code));
    add("-drive", fmt::format("if=pflash,unit=1,format=raw,file={}", variables_path(spec)));
  }
  add("-qmp", fmt::format("unix:{},server=on,wait=off", qmp_path(spec)));
  add("-chardev", fmt::format("socket,id=serial0,path={},server=on,wait=off", serial_path(spec)));
  add("-serial", "chardev:serial0");
  const bool qcow2 = spec.disk.ends_with(".qcow2");
  add("-drive", fmt::format("if=none,id=drive0,file={},format={},cache=unsafe", spec.disk, qcow2 ? "qcow2" : "raw"));
  add("-device", fmt::format("virtio-blk-pci,drive=drive0,id=disk0,bootindex={}", indexes.disk));
  add("-device", fmt::format("ide-cd,id=cd0,bus=ide.1,bootindex={}", indexes.disc));
  if (!spec.tap.empty()) {
    add("-netdev", fmt::format("tap,id=net0,ifname={},script=no,downscript=no", spec.tap));
    add("-device", fmt::format("virtio-net-pci,netdev=net0,id=nic0,mac={},bootindex={}", mac, indexes.network));
  }
  return out;
}

}  // namespace nimbus::simulator
