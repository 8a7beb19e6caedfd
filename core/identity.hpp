// Identity: who a machine says it is, and whether that is who we mean.
//
// A BMC address can come to point at another machine (moved cable, reused
// lease, swapped board). Nothing is written to a machine unless what was read
// from it a moment ago matches what the registry declares.
#pragma once

#include <string>
#include <string_view>

namespace nimbus {

/// Empty string: not declared, or not readable.
struct Identity {
  std::string serial;    // of the system or chassis, as printed on it
  std::string uuid;      // SMBIOS system UUID, lower case, with dashes
  std::string bmc_guid;  // IPMI Get System GUID / Redfish Manager UUID, same form

  bool empty() const noexcept { return serial.empty() && uuid.empty() && bmc_guid.empty(); }
  friend bool operator==(const Identity&, const Identity&) = default;
};

/// Serials and UUIDs that boards ship with and that identify nothing
/// ("0123456789", "To be filled by O.E.M.", all zero, all F, …).
bool is_placeholder_identity(std::string_view text) noexcept;

/// `text` without surrounding blanks; a UUID in lower case.
std::string normalize_serial(std::string_view text);
std::string normalize_uuid(std::string_view text);

struct IdentityMatch {
  enum class Verdict {
    Matches,     // at least one declared value was read back, and none differs
    Differs,     // a declared value was read back and is another: wrong machine
    Unreadable,  // nothing declared could be read: observe only
  };
  Verdict verdict = Verdict::Unreadable;
  std::string reason;  // a sentence for people

  friend bool operator==(const IdentityMatch&, const IdentityMatch&) = default;
};

/// Pure. Any difference wins over any agreement. Placeholders count as not read.
IdentityMatch match_identity(const Identity& declared, const Identity& read);

}  // namespace nimbus
