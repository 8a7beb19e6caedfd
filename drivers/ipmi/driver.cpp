#include "drivers/ipmi/driver.hpp"

#include <utility>

#include "core/ports/bmc_console.hpp"
#include "core/ports/bmc_manage.hpp"
#include "core/ports/bmc_observe.hpp"
#include "drivers/ipmi/accounts.hpp"
#include "drivers/ipmi/boot.hpp"
#include "drivers/ipmi/client.hpp"
#include "drivers/ipmi/console.hpp"
#include "drivers/ipmi/device.hpp"
#include "drivers/ipmi/engine.hpp"
#include "drivers/ipmi/event_log.hpp"
#include "drivers/ipmi/inventory.hpp"
#include "drivers/ipmi/repository.hpp"
#include "drivers/ipmi/sensors.hpp"

namespace nimbus::ipmi {
namespace {

class IpmiBmc final : public Bmc,
                      public BmcPower,
                      public BmcIdentity,
                      public BmcBoot,
                      public BmcInventory,
                      public BmcSensors,
                      public BmcEventLog,
                      public BmcNetwork,
                      public BmcAccounts,
                      public BmcReset,
                      public BmcConsole {
 public:
  IpmiBmc(Engine& engine, const Clock& clock, const Secrets& secrets, Target target)
      : engine_(engine), client_(engine, clock, secrets, std::move(target)) {}

  BmcPower* power() noexcept override { return this; }
  BmcIdentity* identity() noexcept override { return this; }
  BmcBoot* boot() noexcept override { return this; }
  BmcInventory* inventory() noexcept override { return this; }
  BmcSensors* sensors() noexcept override { return this; }
  BmcEventLog* event_log() noexcept override { return this; }
  BmcNetwork* network() noexcept override { return this; }
  BmcAccounts* accounts() noexcept override { return this; }
  BmcReset* reset() noexcept override { return this; }
  BmcConsole* console() noexcept override { return this; }
  BmcTraits traits() const override {
    auto traits = client_.traits();
    traits.firmware = firmware_;
    return traits;
  }
  void close(const Call& call) noexcept override { client_.close(call); }
  unsigned long session() const noexcept override { return client_.session(); }

  const std::shared_ptr<Link>& link() const noexcept { return client_.link(); }

  Result<PowerState> power(const Call& call) override {
    const auto data = client_.ask_data(chassis_status_request(), call);
    if (!data) return Error(data.error()).with("while reading power");
    return parse_chassis_status(*data);
  }

  Result<WriteOutcome> act(PowerAction action, const Call& call) override {
    auto before = present_power(call);
    if (!before) return std::move(before.error());
    const bool is_on = *before == PowerState::On;
    if (action == PowerAction::On ? is_on : !is_on) {
      if (action != PowerAction::Reset) return WriteOutcome::AlreadySo;
      return Error{Code::Invalid, "a machine that is off cannot be reset"};
    }
    const auto request = chassis_control_request(action);
    const auto reply = client_.tell(request, repeat_of(action), call);
    if (!reply) {
      if (effect_unknown(reply.error())) return WriteOutcome::Unknown;
      return Error(reply.error()).with("while sending " + std::string(to_string(action)));
    }
    if (reply->completion != kOk) return completion_error(request, reply->completion);
    return WriteOutcome::Accepted;
  }

  Result<Identity> identity(const Call& call) override {
    // All of it must come from one session: behind another there may be another machine.
    for (int attempt = 0; attempt < 2; ++attempt) {
      const auto guid = read_guid(client_, call);
      if (!guid) return Error(guid.error()).with("while reading the identity");
      const auto session_before = session();
      const auto fru = read_fru(client_, kMachineFru, FruParts::Areas, call);
      if (!fru) return Error(fru.error()).with("while reading the identity");
      if (session() != session_before) continue;
      Identity identity;
      if (fru->has_value()) identity.serial = machine_serial(**fru);
      if (guid->has_value()) {
        const auto texts = describe_guid(**guid);
        identity.uuid = texts.uuid;
        identity.bmc_guid = texts.wire;
      }
      return identity;
    }
    return Error{Code::Busy, "the BMC's session was lost twice while reading the identity"};
  }

  Result<BootOverride> boot_override(const Call& call) override {
    return while_doing("while reading the boot override", read_boot_override(client_, call));
  }

  Result<WriteOutcome> arm_boot(const BootOverride& wanted, const Call& call) override {
    return while_doing("while arming the boot override", arm_boot_flags(client_, wanted, call));
  }

  Result<Inventory> inventory(const Call& call) override {
    return while_doing("while reading the inventory", read_inventory(client_, repository_, call));
  }
  Result<std::vector<FirmwareVersion>> firmware(const Call& call) override {
    auto versions = while_doing("while reading firmware versions", read_firmware(client_, call));
    if (versions && !versions->empty()) firmware_ = versions->front().version;
    return versions;
  }
  Result<std::vector<SensorReading>> sensors(const Call& call) override {
    return while_doing("while reading sensors", read_sensors(client_, repository_, call));
  }
  Result<std::vector<LogEntry>> entries(std::size_t most, const Call& call) override {
    return log_.entries(client_, repository_, most, call);
  }
  Result<BmcNetworkSettings> network(const Call& call) override {
    return while_doing("while reading network settings", read_network(client_, call));
  }

  Result<std::vector<Account>> accounts(const Call& call) override {
    return while_doing("while reading accounts", read_accounts(client_, call));
  }
  Result<Account> put_account(const std::string& name, const Secret& password, AccountRole role,
                              const Call& call) override {
    return while_doing("while writing an account", ipmi::put_account(client_, name, password, role, call));
  }
  Result<WriteOutcome> disable_account(const Account& account, const Call& call) override {
    return while_doing("while disabling an account", ipmi::disable_account(client_, account, call));
  }

  Result<std::unique_ptr<ConsoleSession>> open_console(const Call& call) override {
    return while_doing("while opening the console", open_sol(engine_, client_.another(), call));
  }

  Result<WriteOutcome> reset_bmc(const Call& call) override {
    const Request request{.net_fn = NetFn::App, .command = 0x02, .name = "Cold Reset"};  // section 20.2
    const auto reply = client_.tell(request, Repeat::Never, call);
    if (!reply) {
      if (effect_unknown(reply.error())) return WriteOutcome::Unknown;
      return Error(reply.error()).with("while restarting the BMC");
    }
    if (reply->completion != kOk) return completion_error(request, reply->completion);
    client_.forget_session(call);
    return WriteOutcome::Accepted;
  }

 private:
  /// Power as read on the present session; a session that turns out to be lost is a Conflict.
  Result<PowerState> present_power(const Call& call) {
    const auto reply = client_.ask_present(chassis_status_request(), call);
    if (!reply) {
      const auto code = reply.error().code;
      if (code != Code::Timeout && code != Code::Conflict && code != Code::Unreachable) return reply.error();
      return Error{Code::Conflict, "the BMC's session was lost, nothing was sent: " + reply.error().message};
    }
    if (reply->completion != kOk) return completion_error(chassis_status_request(), reply->completion);
    return parse_chassis_status(reply->data);
  }

  template <class T>
  static Result<T> while_doing(const char* what, Result<T> result) {
    if (!result) result.error().with(what);
    return result;
  }

  Engine& engine_;
  Client client_;
  SdrRepository repository_;
  EventLog log_;
  std::string firmware_;  // as read last
};

class IpmiDriver final : public BmcDriver {
 public:
  IpmiDriver(std::unique_ptr<Engine> engine, const Clock& clock) : engine_(std::move(engine)), clock_(clock) {}

  Result<std::unique_ptr<Bmc>> attach(const BmcEndpoint& endpoint, const Secrets& secrets) override {
    auto target = make_target(endpoint);
    if (!target) return std::move(target.error());
    return std::unique_ptr<Bmc>(new IpmiBmc(*engine_, clock_, secrets, std::move(*target)));
  }

  bool polls_in_batches() const noexcept override { return true; }
  std::vector<Result<PowerState>> powers(const std::vector<Bmc*>& bmcs, const Call& call) override {
    std::vector<std::shared_ptr<Link>> links;
    links.reserve(bmcs.size());
    for (Bmc* bmc : bmcs) links.push_back(static_cast<const IpmiBmc*>(bmc)->link());
    std::vector<Result<PowerState>> out;
    out.reserve(bmcs.size());
    for (const auto& reply : engine_->send_all(links, chassis_status_request(), call)) {
      out.push_back(power_of(reply));
    }
    return out;
  }

 private:
  static Result<PowerState> power_of(const Result<Reply>& reply) {
    if (!reply) return reply.error();
    if (reply->completion != kOk) return completion_error(chassis_status_request(), reply->completion);
    return parse_chassis_status(reply->data);
  }

  std::unique_ptr<Engine> engine_;
  const Clock& clock_;
};

}  // namespace

Result<std::unique_ptr<BmcDriver>> make_ipmi_driver(const Clock& clock) {
  auto engine = Engine::start();
  if (!engine) return std::move(engine.error());
  return std::unique_ptr<BmcDriver>(new IpmiDriver(std::move(*engine), clock));
}

}  // namespace nimbus::ipmi
