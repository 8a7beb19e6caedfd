#include "cli/hardware/target.hpp"

#include "base/file/file.hpp"
#include "base/http/client.hpp"
#include "base/text/text.hpp"
#include "base/time/time.hpp"
#include "cli/loaded.hpp"
#include "core/names.hpp"

namespace nimbus::cli {
namespace {

constexpr std::size_t kMostCaBytes = 256 * 1024;

/// "berlin-1/m017"; an address has no '/' but that of a scheme.
bool is_machine(const std::string& word) {
  const auto slash = word.find('/');
  return slash != std::string::npos && is_dns_label(word.substr(0, slash)) && is_dns_label(word.substr(slash + 1));
}

Result<BmcTarget> machine_target(Context& context, const std::string& word) {
  auto loaded = load_registry(context.registry_start(), {});
  if (!loaded) return std::move(loaded.error());
  const auto slash = word.find('/');
  const auto* machine = registry::find_machine(*loaded->result.snapshot, word.substr(0, slash), word.substr(slash + 1));
  if (machine == nullptr) return Error{Code::NotFound, "no machine " + word + " in this registry"};
  if (machine->value.bmc.address.empty())
    return Error{Code::Invalid, machine->path + " has no usable bmc.address; 'nimbusctl validate' says why"};
  return BmcTarget{.endpoint = machine->value.bmc,
                   .file = machine->path,
                   .folder = loaded->place.folder,
                   .declared = machine->value.identity,
                   .cas = {}};
}

/// No other scheme, and none with IPMI: the messages of the drivers speak of ports then.
Result<> check_scheme(const BmcEndpoint& endpoint) {
  const auto colon = endpoint.address.find("://");
  if (colon == std::string::npos) return {};
  if (endpoint.address.substr(0, colon) == "https" && endpoint.driver == "redfish") return {};
  if (endpoint.address.substr(0, colon) == "https")
    return Error{Code::Invalid, "an IPMI address is HOST or HOST:PORT, without https://"};
  return Error{Code::Invalid, "BMCs are spoken to over https:// (Redfish) or as HOST or HOST:PORT (IPMI), not over " +
                                  base::printable(endpoint.address.substr(0, colon), 20) + "://"};
}

bool is_flag(const Context& context, std::string_view name) {
  return context.args.origin(name) == base::Origin::CommandLine;
}

}  // namespace

std::string https_address(const std::string& address) {
  return address.find("://") == std::string::npos ? "https://" + address : address;
}

Call call_of(const Context& context, std::stop_token stop) {
  const auto time = base::parse_duration(context.args.text("timeout")).value_or(std::chrono::minutes(1));
  return {.deadline = context.clock.now() + time, .stop = std::move(stop)};
}

Result<BmcTarget> plain_target(Context& context) {
  const std::string word = context.args.text("ADDRESS");
  if (is_machine(word)) return machine_target(context, word);
  BmcTarget target;
  target.endpoint.address = word;
  target.endpoint.driver = word.starts_with("https://") ? "redfish" : "ipmi";
  target.endpoint.privilege = IpmiPrivilege::Administrator;
  return target;
}

Result<BmcTarget> bmc_target(Context& context) {
  auto found = plain_target(context);
  if (!found) return found;
  BmcTarget target = std::move(*found);
  if (is_flag(context, "driver")) target.endpoint.driver = context.args.text("driver");
  if (is_flag(context, "system")) target.endpoint.system = context.args.text("system");
  if (auto known = check_scheme(target.endpoint); !known) return std::move(known.error());
  if (target.endpoint.driver == "redfish") target.endpoint.address = https_address(target.endpoint.address);
  if (const auto pins = context.args.all("pin"); !pins.empty()) target.endpoint.tls = {.pins = pins, .ca = {}};
  if (const auto file = context.args.get("ca")) {
    auto text = base::read_file(*file, kMostCaBytes);
    if (!text) return std::move(text.error());
    target.cas["command line"] = std::move(*text);
    target.endpoint.tls.ca = "command line";
  }
  return target;
}

Result<ShownKey> shown_key(const std::string& address, const Call& call) {
  const auto certificate = base::fetch_certificate(address, call);
  if (!certificate) return certificate.error();
  const auto pin = base::SpkiPin::of_certificate(*certificate);
  if (!pin) return pin.error();
  auto fingerprint = base::certificate_fingerprint(*certificate);
  if (!fingerprint) return std::move(fingerprint.error());
  return ShownKey{.pin = pin->text(), .fingerprint = std::move(*fingerprint)};
}

Result<> settle_trust(Context& context, BmcTarget& target, const Call& call) {
  if (target.endpoint.driver != "redfish" || !target.endpoint.tls.empty()) return {};
  const auto key = shown_key(target.endpoint.address, call);
  if (!key) return Error(key.error()).with("while asking for the key of " + base::printable(target.endpoint.address));
  if (!context.args.flag("accept-new-key"))
    return Error{Code::Untrusted, "the BMC shows the key " + key->pin +
                                      " (SHA-256 of its certificate: " + key->fingerprint +
                                      "); nothing was sent to it. Give it with --pin, or --accept-new-key"};
  context.console.say("first contact: the BMC shows the key " + key->pin +
                      " (SHA-256 of its certificate: " + key->fingerprint + ")");
  target.endpoint.tls.pins = {key->pin};
  return {};
}

}  // namespace nimbus::cli
