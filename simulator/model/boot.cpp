#include "simulator/model/boot.hpp"

namespace nimbus::simulator {

std::string_view to_string(BootDevice device) noexcept {
  switch (device) {
    case BootDevice::None:
      return "none";
    case BootDevice::Pxe:
      return "pxe";
    case BootDevice::Disk:
      return "disk";
    case BootDevice::Cd:
      return "cd";
    case BootDevice::RemoteCd:
      return "remote-cd";
    case BootDevice::Usb:
      return "usb";
    case BootDevice::Floppy:
      return "floppy";
    case BootDevice::Setup:
      return "setup";
    case BootDevice::Diagnostics:
      return "diagnostics";
    case BootDevice::SafeMode:
      return "safe-mode";
    case BootDevice::UefiHttp:
      return "uefi-http";
    case BootDevice::UefiTarget:
      return "uefi-target";
  }
  return "none";
}

std::string_view to_string(BootMode mode) noexcept { return mode == BootMode::Uefi ? "uefi" : "bios"; }

std::string_view to_string(BootEnabled enabled) noexcept {
  switch (enabled) {
    case BootEnabled::Disabled:
      return "disabled";
    case BootEnabled::Once:
      return "once";
    case BootEnabled::Continuous:
      return "continuous";
  }
  return "disabled";
}

BootOrder default_boot_order(const Quirks& quirks) {
  BootOrder out{BootDevice::Disk, BootDevice::Pxe, BootDevice::Cd, BootDevice::Usb};
  if (!quirks.has(Quirk::NoUefiHttp)) out.push_back(BootDevice::UefiHttp);
  return out;
}

}  // namespace nimbus::simulator
