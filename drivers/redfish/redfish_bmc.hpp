// RedfishBmc: one System of one Redfish service, behind the BMC port.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/ports/bmc.hpp"
#include "drivers/redfish/documents.hpp"
#include "drivers/redfish/session.hpp"

namespace nimbus::redfish {

class RedfishBmc final : public Bmc, private BmcPower, private BmcIdentity, private BmcBoot {
 public:
  RedfishBmc(BmcEndpoint endpoint, Session session);

  BmcPower* power() noexcept override { return this; }
  BmcIdentity* identity() noexcept override { return this; }
  BmcBoot* boot() noexcept override { return this; }
  void close(const Call& call) noexcept override { session_.close(call); }

 private:
  Result<PowerState> power(const Call& call) override;
  Result<WriteOutcome> act(PowerAction action, const Call& call) override;
  Result<Identity> identity(const Call& call) override;
  unsigned long session() const noexcept override { return session_.number(); }
  Result<BootOverride> boot_override(const Call& call) override;
  Result<WriteOutcome> arm_boot(const BootOverride& wanted, const Call& call) override;

  Result<> discover(const Call& call);
  Result<std::string> choose_system(const std::vector<std::string>& members, const Call& call);
  Result<std::string> only_system_with_reset(const std::vector<std::string>& members, const Call& call);
  /// The System as it is now; parsed again only if the body is another than last time.
  Result<const System*> read(const Call& call);
  Result<System> read_system_at(const std::string& link, const Call& call);
  Result<std::vector<std::string>> reset_types(const ResetAction& reset, const Call& call);
  Result<std::string> bmc_guid(const System& system, const Call& call);
  Identity identity_of(const System& system) const;
  /// Whether the identity was read on the session that a write would go out on.
  Result<> check_identified() const;
  Result<> check_same_machine(const Call& call);
  Result<WriteOutcome> outcome_of(const base::ClientResponse& response, PowerAction action, const Call& call);

  const BmcEndpoint endpoint_;
  Session session_;
  std::string system_link_;  // empty: not discovered
  std::optional<System> system_;
  std::size_t body_hash_ = 0;
  std::vector<std::string> action_info_types_;  // of action_info_link_
  std::string action_info_link_;
  std::optional<Identity> identified_;  // as identity() returned it last
  unsigned long identified_session_ = 0;
};

}  // namespace nimbus::redfish
