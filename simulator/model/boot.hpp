// What a boot starts from: override and boot order, in the vocabulary that IPMI's boot
// flags (IPMI 2.0, table 28-14) and Redfish's Boot object (DSP2046, ComputerSystem)
// share. Thread rule: plain values.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/model/quirks.hpp"

namespace nimbus::simulator {

enum class BootDevice : std::uint8_t {
  None,
  Pxe,
  Disk,
  Cd,
  RemoteCd,
  Usb,
  Floppy,
  Setup,
  Diagnostics,
  SafeMode,
  UefiHttp,
  UefiTarget
};
enum class BootMode : std::uint8_t { Legacy, Uefi };
enum class BootEnabled : std::uint8_t { Disabled, Once, Continuous };

std::string_view to_string(BootDevice device) noexcept;
std::string_view to_string(BootMode mode) noexcept;
std::string_view to_string(BootEnabled enabled) noexcept;

struct BootOverride {
  BootEnabled enabled = BootEnabled::Disabled;
  BootDevice device = BootDevice::None;
  BootMode mode = BootMode::Uefi;
  std::string http_uri;     // with UefiHttp
  std::string uefi_target;  // with UefiTarget
  /// Data 2 to 5 of IPMI's boot flags as they were written: what this vocabulary has
  /// no word for (console, lock-out bits, verbosity) is kept and read back.
  std::array<std::uint8_t, 4> ipmi_rest{};
};

/// The firmware's own list, tried from the front: each device once.
using BootOrder = std::vector<BootDevice>;
BootOrder default_boot_order(const Quirks& quirks);

/// What a boot really used: the machine's own answer, whatever was asked for.
struct BootRecord {
  std::uint64_t count = 0;  // boots since the simulator started
  BootDevice device = BootDevice::Disk;
  BootMode mode = BootMode::Uefi;
  BootEnabled override_kind = BootEnabled::Disabled;
  BootOrder order = {};  // where the firmware goes on if `device` has nothing to boot
};

}  // namespace nimbus::simulator
