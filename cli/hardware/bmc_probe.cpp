// nimbusctl bmc probe.
#include <csignal>

#include <fmt/format.h>

#include "base/text/text.hpp"
#include "base/time/time.hpp"
#include "cli/hardware/commands.hpp"
#include "cli/hardware/interrupt.hpp"
#include "cli/hardware/open_bmc.hpp"
#include "cli/hardware/probe.hpp"
#include "cli/hardware/target.hpp"
#include "drivers/drivers.hpp"

namespace nimbus::cli {
namespace {

using base::Json;

struct Probed {
  BmcTarget target;
  ProbeReport report;
  std::vector<std::string> warnings;
  std::string fingerprint;  // of the certificate; empty: it has none
};

/// One credential and nothing else, for a factory login that is tried.
struct OneLogin final : Secrets {
  explicit OneLogin(const FactoryLogin& login)
      : credential_{.name = "factory",
                    .username = std::string(login.username),
                    .password = Secret(std::string(login.password)),
                    .k_g = {}} {}
  Result<Credential> credential(std::string_view /*name*/, std::string_view /*destination*/) const override {
    return credential_;
  }

 private:
  Credential credential_;
};

/// At most one login per vendor name that fits: BMCs lock accounts after a few.
void try_factory(drivers::DriverTable& drivers, Probed& probed, const Clock& clock, const Call& call) {
  const auto& traits = probed.report.traits;
  const std::string vendor =
      traits.vendor.empty() && probed.report.inventory ? probed.report.inventory->vendor : traits.vendor;
  const auto logins = vendor.empty() ? std::vector<FactoryLogin>() : factory_logins(vendor);
  if (logins.empty()) {
    probed.warnings.push_back("no factory credentials are known for this vendor");
    return;
  }
  const OneLogin login(logins.front());
  BmcEndpoint endpoint = probed.target.endpoint;
  endpoint.credentials = {"factory"};
  auto attached = drivers.attach(endpoint, login);
  if (!attached) return;
  const OpenBmc bmc(std::move(*attached), clock);
  if (bmc->identity()->identity(call))
    probed.warnings.push_back(
        fmt::format("the factory credentials of {} ({}) still work", logins.front().vendor, logins.front().username));
}

void look_at_credential(const CommandSecrets& secrets, Probed& probed) {
  const auto& used = probed.report.traits.credential;
  if (used.empty()) return;
  const auto credential = secrets.credential(used, probed.target.endpoint.address);
  if (!credential) return;
  const auto vendor = factory_vendor(*credential);
  if (!vendor.empty())
    probed.warnings.push_back(fmt::format("'{}' holds a well-known factory login ({}): change it", used, vendor));
}

/// A wrong clock spoils the times of the event log, and certificates that the BMC is given.
void look_at_clock(Probed& probed) {
  constexpr std::chrono::seconds kMost{60};
  const auto off = probed.report.traits.clock_off;
  if (!off || std::chrono::abs(*off) <= kMost) return;
  probed.warnings.push_back(fmt::format("the BMC's clock is {} {}", base::to_duration_text(std::chrono::abs(*off)),
                                        off->count() > 0 ? "ahead" : "behind"));
}

Json to_json(const Probed& probed) {
  const auto& [target, report, warnings, fingerprint] = probed;
  Json out = Json::object({{"address", target.endpoint.address}, {"driver", target.endpoint.driver}});
  if (!target.endpoint.tls.pins.empty()) out.set("pin", target.endpoint.tls.pins.front());
  if (!fingerprint.empty()) out.set("certificate_sha256", fingerprint);
  out.set("identity", identity_json(report.identity));
  Json bmc = Json::object({{"vendor", report.traits.vendor},
                           {"product", report.traits.product},
                           {"firmware", report.traits.firmware},
                           {"login", report.traits.login},
                           {"credential", report.traits.credential}});
  out.set("bmc", std::move(bmc));
  Json aspects = Json::array();
  for (const auto& one : report.aspects)
    aspects.push(Json::object({{"aspect", one.aspect}, {"state", one.state}, {"detail", one.detail}}));
  out.set("aspects", std::move(aspects));
  Json quirks = Json::array();
  for (const auto& quirk : report.traits.quirks)
    quirks.push(Json::object({{"id", quirk.id}, {"why", quirk.why}, {"evidence", quirk.evidence}}));
  out.set("quirks", std::move(quirks));
  if (report.inventory) out.set("inventory", inventory_json(*report.inventory));
  Json texts = Json::array();
  for (const auto& warning : warnings) texts.push(warning);
  out.set("warnings", std::move(texts));
  return out;
}

Style style_of(const std::string& state) {
  if (state == "works") return Style::Good;
  return state == "failed" || state == "denied" ? Style::Bad : Style::Warning;
}

std::string joined(std::initializer_list<std::string> words) {
  std::string out;
  for (const auto& word : words) {
    if (!word.empty()) out += (out.empty() ? "" : " ") + word;
  }
  return out;
}

std::string to_text(const Probed& probed, const Console& console) {
  const auto& [target, report, warnings, fingerprint] = probed;
  std::string out;
  const auto line = [&](std::string_view name, const std::string& text) {
    if (!text.empty()) out += fmt::format("{:<12}{}\n", name, base::printable(text));
  };
  line("address", target.endpoint.address);
  line("driver", target.endpoint.driver);
  if (!target.endpoint.tls.pins.empty()) line("key", target.endpoint.tls.pins.front());
  line("certificate", fingerprint);
  line("BMC", joined({report.traits.vendor, report.traits.product, report.traits.firmware}));
  line("login", report.traits.login + (report.traits.credential.empty() ? "" : " with " + report.traits.credential));
  line("serial", report.identity.serial);
  line("uuid", report.identity.uuid);
  line("BMC guid", report.identity.bmc_guid);
  Listing listing{.columns = {{"ASPECT"}, {"STATE"}, {"DETAIL"}}, .rows = {}};
  for (const auto& one : report.aspects)
    listing.rows.push_back(
        {.name = one.aspect, .cells = {{one.aspect}, {one.state, style_of(one.state)}, {one.detail}}});
  out += "\n" + render(listing, Format::Table, console);
  if (!report.traits.quirks.empty()) out += "\nPeculiarities:\n";
  for (const auto& quirk : report.traits.quirks)
    out += fmt::format("  {:<8} {} ({})\n", quirk.id, base::printable(quirk.evidence), quirk.why);
  return out;
}

Result<Probed> run(Context& context) {
  auto target = bmc_target(context);
  if (!target) return std::move(target.error());
  std::vector<std::string> names;
  auto secrets = command_secrets(context, names);
  if (!secrets) return std::move(secrets.error());
  if (!names.empty()) target->endpoint.credentials = std::move(names);
  if (target->endpoint.credentials.empty())
    return Error{Code::Invalid, "name a secret, a file or 'prompt' with --credentials"};
  const Interrupt interrupt;  // from here on nobody is asked
  const Call call = call_of(context, interrupt.token());
  if (auto trusted = settle_trust(context, *target, call); !trusted) return std::move(trusted.error());
  auto drivers = drivers::make_drivers({.cas = target->cas}, context.clock);
  if (!drivers) return std::move(drivers.error());
  auto attached = drivers->attach(target->endpoint, *secrets);
  if (!attached) return std::move(attached.error());
  OpenBmc bmc(std::move(*attached), context.clock);
  auto report = probe(*bmc, call);
  bmc.close();
  if (!report) return std::move(report.error());
  Probed probed{.target = std::move(*target), .report = std::move(*report), .warnings = {}, .fingerprint = {}};
  if (probed.target.endpoint.driver == "redfish") {
    if (auto key = shown_key(probed.target.endpoint.address, call)) probed.fingerprint = std::move(key->fingerprint);
  }
  look_at_clock(probed);
  look_at_credential(*secrets, probed);
  if (context.args.flag("check-factory")) try_factory(*drivers, probed, context.clock, call);
  if (!probed.target.declared.empty()) {
    const auto match = match_identity(probed.target.declared, probed.report.identity);
    if (match.verdict != IdentityMatch::Verdict::Matches) probed.warnings.push_back(match.reason);
  }
  return probed;
}

}  // namespace

Exit run_bmc_probe(Context& context) {
  (void)std::signal(SIGPIPE, SIG_IGN);  // a BMC that hangs up
  const auto probed = run(context);
  if (!probed) {
    const Exit exit = fail(context, probed.error());
    return probed.error().code == Code::Auth ? Exit::Denied : exit;
  }
  const bool for_people = context.format() == Format::Table || context.format() == Format::Wide;
  context.console.out(for_people ? to_text(*probed, context.console)
                                 : render_value(to_json(*probed), context.format()));
  for (const auto& warning : probed->warnings) context.console.warning(warning);
  return Exit::Ok;
}

}  // namespace nimbus::cli
