#include "drivers/ipmi/driver.hpp"

#include <utility>

#include "drivers/ipmi/boot.hpp"
#include "drivers/ipmi/client.hpp"
#include "drivers/ipmi/device.hpp"
#include "drivers/ipmi/engine.hpp"

namespace nimbus::ipmi {
namespace {

class IpmiBmc final : public Bmc, public BmcPower, public BmcIdentity, public BmcBoot {
 public:
  IpmiBmc(Engine& engine, const Clock& clock, const Secrets& secrets, Target target)
      : client_(engine, clock, secrets, std::move(target)) {}

  BmcPower* power() noexcept override { return this; }
  BmcIdentity* identity() noexcept override { return this; }
  BmcBoot* boot() noexcept override { return this; }
  void close(const Call& call) noexcept override { client_.close(call); }
  unsigned long session() const noexcept override { return client_.session(); }

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
      const auto fru = read_fru(client_, call);
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
    auto read = read_boot_override(client_, call);
    if (!read) return std::move(read.error()).with("while reading the boot override");
    return read;
  }

  Result<WriteOutcome> arm_boot(const BootOverride& wanted, const Call& call) override {
    auto armed = arm_boot_flags(client_, wanted, call);
    if (!armed) return std::move(armed.error()).with("while arming the boot override");
    return armed;
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

  Client client_;
};

class IpmiDriver final : public BmcDriver {
 public:
  IpmiDriver(std::unique_ptr<Engine> engine, const Clock& clock) : engine_(std::move(engine)), clock_(clock) {}

  Result<std::unique_ptr<Bmc>> attach(const BmcEndpoint& endpoint, const Secrets& secrets) override {
    auto target = make_target(endpoint);
    if (!target) return std::move(target.error());
    return std::unique_ptr<Bmc>(new IpmiBmc(*engine_, clock_, secrets, std::move(*target)));
  }

 private:
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
