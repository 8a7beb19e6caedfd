// Quirks: what some BMCs do differently, as data. The names are FreeIPMI's
// workaround flags where it has one, because operators look those up.
//
// What does no harm is done for every BMC, and the name is only accepted. Of the others
// some follow from the maker that Get Device ID names; the rest change something on
// the wire and must be asked for in the registry.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "drivers/ipmi/message.hpp"

namespace nimbus::ipmi {

struct Quirks {
  bool ignore_capabilities = false;  // open an RMCP+ session though the BMC denies knowing it
  bool padded_username = false;      // user names on the wire and in codes are padded to 16 bytes
  Checksums checksums = Checksums::Verify;
  bool keep_boot_timer = false;          // do not touch the 60 s timer of the boot flags
  bool uefi_disk_is_0x24 = false;        // boot device number of a disk under UEFI
  bool valid_bit_not_shown = false;      // boot flags read back as not valid, and count nevertheless
  std::chrono::milliseconds spacing{0};  // least time between two commands

  friend bool operator==(const Quirks&, const Quirks&) = default;
};

struct QuirkInfo {
  std::string_view id;
  std::string_view evidence;  // where it was seen, what the BMC does
  bool always_on = false;
  std::uint32_t manufacturer = 0;  // IANA enterprise number of makers that have it; 0: none
};
const std::vector<QuirkInfo>& quirk_table();

/// The one that is learnt by meeting it: cipher suite 17 is refused and 3 works.
inline constexpr std::string_view kWeakerSuiteQuirk = "IP-04";

/// Who has this IANA enterprise number: a name, or "enterprise <number>".
std::string maker_name(std::uint32_t manufacturer);

/// Errors: Invalid (a name that is not in the table).
Result<Quirks> make_quirks(const std::vector<std::string>& ids);
/// Adds what all BMCs of this maker do, by the number in Get Device ID.
void add_quirks_of_maker(Quirks& quirks, std::uint32_t manufacturer) noexcept;

}  // namespace nimbus::ipmi
