// Aspects of a BMC that change it or the machine's firmware settings: virtual media,
// BIOS attributes, secure boot, accounts, restart of the BMC itself.
//
// All writes go out only on the session whose identity was checked (Conflict
// otherwise), as BmcPower::act. Thread rule and common errors: core/ports/bmc.hpp.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/call.hpp"
#include "core/power.hpp"
#include "core/result.hpp"
#include "core/secret.hpp"

namespace nimbus {

struct MediaSlot {
  std::string id;
  bool cd = false;  // takes CD or DVD images
  bool inserted = false;
  std::string image;  // where it is fetched from; empty: nothing, or not told
  friend bool operator==(const MediaSlot&, const MediaSlot&) = default;
};

class BmcMedia {
 public:
  virtual ~BmcMedia() = default;
  virtual Result<std::vector<MediaSlot>> slots(const Call& call) = 0;
  /// Puts the image at `url` into the first slot that takes CDs and reads back.
  /// AlreadySo: this very image is in. Another image in the slot is ejected first.
  /// Unsupported: no such slot, no licence, or the scheme of `url` is not taken.
  virtual Result<WriteOutcome> insert_cd(const std::string& url, const Call& call) = 0;
  /// Empties every CD slot and reads back. AlreadySo: all were empty.
  virtual Result<WriteOutcome> eject_cd(const Call& call) = 0;
};

/// Values as the registry writes them: text, decimal number, "true" or "false".
using BiosAttributes = std::map<std::string, std::string>;

struct BiosState {
  BiosAttributes current;
  BiosAttributes pending;  // only those that differ from `current`; act at the next start
  friend bool operator==(const BiosState&, const BiosState&) = default;
};

struct SecureBootState {
  bool enabled_now = false;   // the running start used it
  bool enabled_next = false;  // the next one will
  friend bool operator==(const SecureBootState&, const SecureBootState&) = default;
};

class BmcSettings {
 public:
  virtual ~BmcSettings() = default;
  virtual Result<BiosState> bios(const Call& call) = 0;
  /// Stages exactly these attributes for the next start and reads back; all others
  /// keep what they have. Invalid: the BMC refuses a name or value (its words).
  virtual Result<WriteOutcome> stage_bios(const BiosAttributes& wanted, const Call& call) = 0;
  virtual Result<SecureBootState> secure_boot(const Call& call) = 0;
  virtual Result<WriteOutcome> set_secure_boot(bool enabled, const Call& call) = 0;
};

enum class AccountRole : std::uint8_t { None, ReadOnly, Operator, Administrator, Other };

struct Account {
  std::string id;  // slot number (IPMI) or resource id (Redfish)
  std::string name;
  AccountRole role = AccountRole::None;
  bool enabled = false;
  friend bool operator==(const Account&, const Account&) = default;
};

class BmcAccounts {
 public:
  virtual ~BmcAccounts() = default;
  /// Slots without a name are left out.
  virtual Result<std::vector<Account>> accounts(const Call& call) = 0;
  /// Makes an enabled account, or takes over the one of this name: then its password and
  /// role are replaced. Reads back. Repeating is harmless. Invalid: name or password that
  /// this BMC does not keep (IPMI: 16 and 20 bytes). Busy: no free slot. Unsupported: the
  /// BMC took it and does not show it.
  virtual Result<Account> put_account(const std::string& name, const Secret& password, AccountRole role,
                                      const Call& call) = 0;
  virtual Result<WriteOutcome> disable_account(const Account& account, const Call& call) = 0;
};

class BmcReset {
 public:
  virtual ~BmcReset() = default;
  /// Restarts the BMC, not the machine. The session is gone afterwards. Unknown: it
  /// said nothing more, as BMCs do that restart before they answer.
  virtual Result<WriteOutcome> reset_bmc(const Call& call) = 0;
};

}  // namespace nimbus
