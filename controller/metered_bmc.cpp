#include "controller/metered_bmc.hpp"

#include <chrono>
#include <utility>

#include "core/ports/bmc_manage.hpp"
#include "core/ports/bmc_observe.hpp"

namespace nimbus::controller {
namespace {

class MeteredBmc final : public Bmc, BmcPower, BmcIdentity, BmcInventory, BmcSettings {
 public:
  MeteredBmc(std::unique_ptr<Bmc> bmc, BmcMeter meter) : bmc_(std::move(bmc)), meter_(std::move(meter)) {}

  BmcPower* power() noexcept override { return bmc_->power() != nullptr ? this : nullptr; }
  BmcIdentity* identity() noexcept override { return bmc_->identity() != nullptr ? this : nullptr; }
  BmcInventory* inventory() noexcept override { return bmc_->inventory() != nullptr ? this : nullptr; }
  BmcSettings* settings() noexcept override { return bmc_->settings() != nullptr ? this : nullptr; }
  BmcBoot* boot() noexcept override { return bmc_->boot(); }
  BmcNetwork* network() noexcept override { return bmc_->network(); }
  BmcSensors* sensors() noexcept override { return bmc_->sensors(); }
  BmcEventLog* event_log() noexcept override { return bmc_->event_log(); }
  BmcMedia* media() noexcept override { return bmc_->media(); }
  BmcAccounts* accounts() noexcept override { return bmc_->accounts(); }
  BmcReset* reset() noexcept override { return bmc_->reset(); }
  BmcConsole* console() noexcept override { return bmc_->console(); }
  BmcHints* hints() noexcept override { return bmc_->hints(); }
  BmcTraits traits() const override { return bmc_->traits(); }
  void close(const Call& call) noexcept override { bmc_->close(call); }
  Bmc& inner() noexcept { return *bmc_; }

 private:
  template <class Operation>
  auto timed(Operation operation) {
    const auto start = std::chrono::steady_clock::now();
    auto result = operation();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    meter_(result ? std::string_view("ok") : to_string(result.error().code), seconds);
    return result;
  }

  Result<PowerState> power(const Call& call) override {
    return timed([&] { return bmc_->power()->power(call); });
  }
  Result<WriteOutcome> act(PowerAction action, const Call& call) override {
    return timed([&] { return bmc_->power()->act(action, call); });
  }
  Result<Identity> identity(const Call& call) override {
    return timed([&] { return bmc_->identity()->identity(call); });
  }
  unsigned long session() const noexcept override { return bmc_->identity()->session(); }
  Result<Inventory> inventory(const Call& call) override {
    return timed([&] { return bmc_->inventory()->inventory(call); });
  }
  Result<std::vector<FirmwareVersion>> firmware(const Call& call) override {
    return timed([&] { return bmc_->inventory()->firmware(call); });
  }
  Result<BiosState> bios(const Call& call) override {
    return timed([&] { return bmc_->settings()->bios(call); });
  }
  Result<WriteOutcome> stage_bios(const BiosAttributes& wanted, const Call& call) override {
    return timed([&] { return bmc_->settings()->stage_bios(wanted, call); });
  }
  Result<SecureBootState> secure_boot(const Call& call) override {
    return timed([&] { return bmc_->settings()->secure_boot(call); });
  }
  Result<WriteOutcome> set_secure_boot(bool enabled, const Call& call) override {
    return timed([&] { return bmc_->settings()->set_secure_boot(enabled, call); });
  }

  const std::unique_ptr<Bmc> bmc_;
  const BmcMeter meter_;
};

}  // namespace

std::unique_ptr<Bmc> metered(std::unique_ptr<Bmc> bmc, BmcMeter meter) {
  return std::make_unique<MeteredBmc>(std::move(bmc), std::move(meter));
}

Bmc& unmetered(Bmc& bmc) { return dynamic_cast<MeteredBmc&>(bmc).inner(); }

}  // namespace nimbus::controller
