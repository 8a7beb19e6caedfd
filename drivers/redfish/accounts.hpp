// Accounts of a BMC (DSP2046, ManagerAccount): made with POST, or, where they are fixed
// slots, written into a free one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json/json.hpp"
#include "core/ports/bmc_manage.hpp"
#include "drivers/redfish/machine.hpp"

namespace nimbus::redfish {

struct AccountResource {
  Account account;  // without a name: a free slot
  std::string link, etag;
};
AccountResource read_account(const base::Json& json);

/// Thread rule: as Machine, which must outlive this.
class AccountControl final : public BmcAccounts {
 public:
  explicit AccountControl(Machine& machine) : machine_(machine) {}
  Result<std::vector<Account>> accounts(const Call& call) override;
  Result<Account> put_account(const std::string& name, const Secret& password, AccountRole role,
                              const Call& call) override;
  Result<WriteOutcome> disable_account(const Account& account, const Call& call) override;

 private:
  struct Service {
    std::string list;                  // link of the collection
    std::size_t longest_password = 0;  // 0: not said
    std::vector<AccountResource> accounts;
  };
  struct Wanted {
    const std::string& name;
    const Secret& password;
    AccountRole role;
  };
  Result<Service> read_service(const Call& call);
  Result<AccountResource> read_again(const std::string& link, const Call& call);
  Result<std::optional<base::ClientResponse>> patch(const AccountResource& account, const base::Json& body,
                                                    const Call& call);
  Result<> send(const Service& service, const Wanted& wanted, const Call& call);
  Result<> write_slot(const Service& service, const Wanted& wanted, const Call& call);

  Machine& machine_;
};

}  // namespace nimbus::redfish
