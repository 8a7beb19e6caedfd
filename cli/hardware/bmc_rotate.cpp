// nimbusctl bmc rotate.
#include <csignal>

#include "cli/hardware/commands.hpp"
#include "cli/hardware/interrupt.hpp"
#include "cli/hardware/rotation.hpp"
#include "cli/hardware/target.hpp"
#include "core/names.hpp"
#include "drivers/drivers.hpp"

namespace nimbus::cli {
namespace {

/// One credential under one name.
struct Only final : Secrets {
  explicit Only(Credential credential) : credential_(std::move(credential)) {}
  Result<Credential> credential(std::string_view /*name*/, std::string_view /*destination*/) const override {
    return credential_;
  }

 private:
  Credential credential_;
};

/// A Bmc that keeps the secrets that it logs in with.
class OwnedBmc final : public Bmc {
 public:
  OwnedBmc(std::unique_ptr<Only> secrets, std::unique_ptr<Bmc> bmc)
      : secrets_(std::move(secrets)), bmc_(std::move(bmc)) {}
  BmcIdentity* identity() noexcept override { return bmc_->identity(); }
  BmcAccounts* accounts() noexcept override { return bmc_->accounts(); }
  void close(const Call& call) noexcept override { bmc_->close(call); }

 private:
  std::unique_ptr<Only> secrets_;
  std::unique_ptr<Bmc> bmc_;
};

Result<> run(Context& context) {
  auto target = bmc_target(context);
  if (!target) return std::move(target.error());
  auto names = context.args.all("credentials");
  if (names.empty()) names = target->endpoint.credentials;
  if (names.size() != 1 || !is_secret_name(names.front()))
    return Error{Code::Invalid, "name the one secret to change, with --credentials or in the machine's file"};
  const Interrupt interrupt;
  const Call call = call_of(context, interrupt.token());
  if (auto trusted = settle_trust(context, *target, call); !trusted) return trusted;
  auto drivers = drivers::make_drivers({.cas = target->cas}, context.clock);
  if (!drivers) return std::move(drivers.error());
  target->endpoint.credentials = {"rotation"};
  target->endpoint.privilege = IpmiPrivilege::Administrator;  // an operator may not change users
  const CommandSecrets secrets(context.args.text("secrets"));
  const RotationPlan plan{.path = secrets.path_of(names.front()),
                          .address = target->endpoint.address,
                          .declared = target->declared,
                          .attach = [&](const Credential& credential) -> Result<std::unique_ptr<Bmc>> {
                            auto only = std::make_unique<Only>(credential);
                            auto bmc = drivers->attach(target->endpoint, *only);
                            if (!bmc) return bmc;
                            return std::unique_ptr<Bmc>(std::make_unique<OwnedBmc>(std::move(only), std::move(*bmc)));
                          },
                          .say = [&](const std::string& message) { context.console.say(message); },
                          .clock = context.clock};
  auto done = rotate(plan, call);
  if (!done && done.error().code == Code::Cancelled)
    context.console.say("stopped: the secret holds what works; the same command goes on from here");
  return done;
}

}  // namespace

Exit run_bmc_rotate(Context& context) {
  (void)std::signal(SIGPIPE, SIG_IGN);
  const auto done = run(context);
  if (done) return Exit::Ok;
  const Exit exit = fail(context, done.error());
  return done.error().code == Code::Auth ? Exit::Denied : exit;
}

}  // namespace nimbus::cli
