// Quirks: what some BMCs do differently, as data. A quirk holds because the BMC's
// documents match, because the registry forces it by id, or because an answer of this
// BMC taught it.
#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "drivers/redfish/documents.hpp"

namespace nimbus::redfish {

enum class Effect : std::uint8_t {
  SerialInSku,          // the number on the machine is the SKU; SerialNumber is the board's
  CloseConnections,     // a new connection for each request
  Spaced,               // a pause between two requests
  BasicOnly,            // no sessions: credentials with each request
  StrongEtags,          // If-Match in the strong form, whatever the ETag was
  NoEtags,              // If-Match never
  CdBootsPhysical,      // boot from Cd means the drive in the machine, not the virtual one
  ExpandLosesFields,    // "$expand" leaves fields out: members one by one
  EjectWithBody,        // EjectMedia wants "{}"
  MediaProtocolNeeded,  // InsertMedia wants TransferProtocolType
  MediaMethodNeeded,    // InsertMedia wants TransferMethod
  MediaUserNeeded,      // InsertMedia wants UserName and Password, whatever they are
  AccountSlots,         // accounts are fixed slots that are written, never made
};

/// What the documents of a BMC say about what it is. Empty: not said.
struct BmcKind {
  std::string vendor;        // ServiceRoot.Vendor
  std::string manufacturer;  // of the System
  std::string model;         // of the System
  std::string firmware;      // of the manager
};

struct Quirk {
  std::string_view id;
  Effect effect;
  std::string_view vendor;  // of root or System, as prefix, whatever the case; empty: only if forced or learnt
  std::string_view model;   // as prefix; empty: any
  std::string_view from;    // BMC firmware, this one or newer; empty: any
  std::string_view below;   // BMC firmware, older than this; empty: any
  std::string_view evidence;
};
const std::vector<Quirk>& quirk_table();

/// Errors: Invalid (an id that is not in the table).
Result<> check_quirk_ids(const std::vector<std::string>& ids);
bool is_forced(const std::vector<std::string>& ids, Effect effect) noexcept;
bool is_forced_id(const std::vector<std::string>& ids, std::string_view id) noexcept;
/// Whether the table says so of such a BMC. A range of firmware never matches a BMC
/// that does not tell its firmware.
bool matches(const Quirk& quirk, const BmcKind& kind) noexcept;
bool matches(const BmcKind& kind, Effect effect) noexcept;

/// Numbers compared as numbers: "4.9" before "4.40.10"; other characters separate.
bool is_older_version(std::string_view a, std::string_view b) noexcept;

/// What the answers of one BMC have taught; outlives its Bmc objects. Another BMC at the
/// address, or other firmware, has to teach it again.
/// Thread rule: safe from any thread.
class LearntQuirks {
 public:
  bool has(Effect effect) const;
  void add(Effect effect);
  /// Of which BMC with which firmware the answers are from now on; forgets all if it was
  /// another before. Whether it was.
  bool belongs_to(const std::string& bmc);

 private:
  mutable std::mutex mutex_;
  std::set<Effect> effects_;
  std::string bmc_;  // empty: not said yet
};

}  // namespace nimbus::redfish
