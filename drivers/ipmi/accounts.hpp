// Users of a BMC (IPMI v2.0 rev 1.1, sections 22.26 to 22.30). Writes happen on the
// present session only. Thread rule: as Client.
#pragma once

#include <string>
#include <vector>

#include "core/call.hpp"
#include "core/ports/bmc_manage.hpp"
#include "core/result.hpp"
#include "drivers/ipmi/client.hpp"

namespace nimbus::ipmi {

/// An answer to Get User Access, section 22.27.
struct UserAccess {
  std::uint8_t slots = 0;  // how many the BMC has
  AccountRole role = AccountRole::None;
  bool enabled = false;
};
/// Errors: Corrupt.
Result<UserAccess> parse_user_access(Bytes data);
/// An answer to Get User Name, section 22.29: printable.
std::string parse_user_name(Bytes data);

/// As the operations of BmcAccounts.
Result<std::vector<Account>> read_accounts(Client& client, const Call& call);
Result<Account> put_account(Client& client, const std::string& name, const Secret& password, AccountRole role,
                            const Call& call);
Result<WriteOutcome> disable_account(Client& client, const Account& account, const Call& call);

}  // namespace nimbus::ipmi
