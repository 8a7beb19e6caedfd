#include "core/boot.hpp"

namespace nimbus {

std::string_view to_string(BootDevice device) noexcept {
  switch (device) {
    case BootDevice::Default:
      return "default";
    case BootDevice::Pxe:
      return "pxe";
    case BootDevice::Http:
      return "http";
    case BootDevice::Disk:
      return "disk";
    case BootDevice::Cd:
      return "cd";
    case BootDevice::Setup:
      return "setup";
  }
  return "";
}

}  // namespace nimbus
