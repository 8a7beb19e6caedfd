// RedfishBmc: one System of one Redfish service, behind the BMC port.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/ports/bmc.hpp"
#include "core/ports/bmc_hints.hpp"
#include "drivers/redfish/accounts.hpp"
#include "drivers/redfish/boot_order.hpp"
#include "drivers/redfish/event_log.hpp"
#include "drivers/redfish/hints.hpp"
#include "drivers/redfish/inventory.hpp"
#include "drivers/redfish/machine.hpp"
#include "drivers/redfish/media.hpp"
#include "drivers/redfish/sensors.hpp"
#include "drivers/redfish/settings.hpp"

namespace nimbus::redfish {

class RedfishBmc final : public Bmc,
                         private BmcPower,
                         private BmcIdentity,
                         private BmcBoot,
                         private BmcReset,
                         private BmcHints {
 public:
  /// `service`: of its BMC, shared with other machines behind that; never null.
  RedfishBmc(BmcEndpoint endpoint, std::shared_ptr<Service> service, std::shared_ptr<LearntQuirks> learnt);
  ~RedfishBmc() override { service_->hints.forget(this); }
  RedfishBmc(const RedfishBmc&) = delete;
  RedfishBmc& operator=(const RedfishBmc&) = delete;

  BmcPower* power() noexcept override { return this; }
  BmcIdentity* identity() noexcept override { return this; }
  BmcBoot* boot() noexcept override { return this; }
  BmcInventory* inventory() noexcept override { return &inventory_; }
  BmcSensors* sensors() noexcept override { return &sensors_; }
  BmcEventLog* event_log() noexcept override { return &event_log_; }
  BmcMedia* media() noexcept override { return &media_; }
  BmcSettings* settings() noexcept override { return &settings_; }
  BmcAccounts* accounts() noexcept override { return &accounts_; }
  BmcReset* reset() noexcept override { return this; }
  BmcHints* hints() noexcept override { return this; }
  BmcTraits traits() const override;
  /// The session ends with the last machine that uses it.
  void close(const Call& call) noexcept override;

 private:
  Result<PowerState> power(const Call& call) override;
  Result<WriteOutcome> act(PowerAction action, const Call& call) override;
  Result<Identity> identity(const Call& call) override { return machine_.identity(call); }
  unsigned long session() const noexcept override { return machine_.number(); }
  Result<BootOverride> boot_override(const Call& call) override;
  Result<WriteOutcome> arm_boot(const BootOverride& wanted, const Call& call) override;
  Result<BootOrder> boot_order(const Call& call) override { return BootOrderControl(machine_).shown(call); }
  Result<WriteOutcome> set_boot_order(const std::vector<std::string>& first, const Call& call) override {
    return BootOrderControl(machine_).put_first(first, call);
  }

  Result<WriteOutcome> reset_bmc(const Call& call) override;
  Result<> offered(const Call& call) override { return service_->hints.offered(call); }
  Result<> listen(std::function<void()> hint, const Call& call) override {
    return service_->hints.listen(this, std::move(hint), call);
  }

  Result<WriteOutcome> outcome_of(const base::ClientResponse& response, PowerAction action, const Call& call);

  const std::shared_ptr<Service> service_;
  Machine machine_;
  InventoryReader inventory_;
  SensorReader sensors_;
  EventLogReader event_log_;
  MediaControl media_;
  SettingsControl settings_;
  AccountControl accounts_;
};

}  // namespace nimbus::redfish
