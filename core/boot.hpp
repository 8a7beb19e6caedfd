// What a machine boots from next: the override that a BMC keeps, as a value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nimbus {

/// Default: no override, the firmware's own order counts.
enum class BootDevice : std::uint8_t { Default, Pxe, Http, Disk, Cd, Setup };

/// How often. Some BMCs know Once only (the caller arms again before each boot).
enum class BootTimes : std::uint8_t { Once, Always };

enum class BootMode : std::uint8_t { Uefi, Bios };

struct BootOverride {
  BootDevice device = BootDevice::Default;
  BootTimes times = BootTimes::Once;  // without meaning for Default
  std::optional<BootMode> mode;       // nothing: as it is
  std::string http_uri;               // Http: what to fetch; empty: DHCP says

  friend bool operator==(const BootOverride&, const BootOverride&) = default;
};

std::string_view to_string(BootDevice device) noexcept;

/// One entry of the firmware's own list of what it can boot.
struct BootEntry {
  std::string id;    // as the firmware calls it: "Boot0003"
  std::string name;  // for people; foreign text; empty: not told
  friend bool operator==(const BootEntry&, const BootEntry&) = default;
};

/// What the firmware tries, in this order, where no override says otherwise.
struct BootOrder {
  std::vector<BootEntry> next;   // for the next start
  std::vector<std::string> now;  // ids, as of the last start; the same where the BMC keeps no other
  friend bool operator==(const BootOrder&, const BootOrder&) = default;
};

}  // namespace nimbus
