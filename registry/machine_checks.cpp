#include <algorithm>
#include <optional>
#include <vector>

#include <fmt/core.h>

#include "base/text/text.hpp"
#include "registry/checks.hpp"

namespace nimbus::registry {

using base::printable;
using base::toml::Table;
using base::toml::Value;

namespace {

/// Whether the table at a path such as "bmc.tls" has the key.
bool says(const Table& root, std::string_view path, std::string_view key) {
  const Table* table = &root;
  while (table != nullptr && !path.empty()) {
    const auto dot = std::min(path.find('.'), path.size());
    const Value* next = table->find(path.substr(0, dot));
    table = next == nullptr ? nullptr : next->table();
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return table != nullptr && table->find(key) != nullptr;
}

class Finisher {
 public:
  Finisher(DesiredMachine& machine, const Table& own, Report& report)
      : machine_(machine), own_(own), report_(report), before_(report.problems()) {}

  void bmc() {
    auto& bmc = machine_.bmc;
    if (is_bad("bmc.driver")) return;  // what else is right depends on it
    if (bmc.driver.empty()) {
      missing("bmc.driver",
              "'driver' in [bmc] is missing, here and in class and defaults: add driver = \"redfish\" or \"ipmi\"");
      return;
    }
    if (bmc.address.empty()) missing("bmc.address", "'address' in [bmc] is missing: add where the BMC is");
    const bool redfish = bmc.driver == "redfish";
    const bool url = bmc.address.starts_with("https://");
    if (!bmc.address.empty() && !is_bad("bmc.address") && redfish != url) {
      report_.add(ProblemCode::BadValue, span_at(own_, "bmc.address"),
                  redfish ? "'address' in [bmc] must be an https URL because the driver is redfish"
                          : "'address' in [bmc] must be a host or host:port because the driver is ipmi");
    }
    if (redfish) {
      for_driver("bmc.cipher_suite", "ipmi", [&] { bmc.cipher_suite = BmcEndpoint{}.cipher_suite; });
      for_driver("bmc.privilege", "ipmi", [&] { bmc.privilege = BmcEndpoint{}.privilege; });
      trust();
    } else {
      for_driver("bmc.tls", "redfish", [&] { bmc.tls = {}; });
      for_driver("bmc.system", "redfish", [&] { bmc.system.clear(); });
      if (bmc.cipher_suite != 17 && bmc.cipher_suite != 3 && !is_bad("bmc.cipher_suite")) {
        report_.add(ProblemCode::OutOfRange, span_at(own_, "bmc.cipher_suite"),
                    fmt::format("'cipher_suite' in [bmc] is {}; it must be 17 or 3", bmc.cipher_suite));
      }
      if (machine_.boot.method != BootMethod::Pxe) {
        for_driver("boot.method", "redfish", [&] { machine_.boot.method = BootMethod::Pxe; });
      }
    }
    credentials();
  }

  void identity() {
    const auto& identity = machine_.identity;
    const auto* table = own_.find("identity") != nullptr ? own_.find("identity")->table() : nullptr;
    if (table == nullptr || is_bad("identity")) return;  // reported already
    bool usable = false;
    bool placeholder = false;
    for (const auto& [key, value] :
         {std::pair{"identity.serial", &identity.serial}, std::pair{"identity.uuid", &identity.uuid},
          std::pair{"identity.bmc_guid", &identity.bmc_guid}}) {
      if (value->empty()) continue;
      if (!is_placeholder_identity(*value)) {
        usable = true;
        continue;
      }
      placeholder = true;
      report_.add(
          ProblemCode::NoIdentity, span_at(own_, key),
          fmt::format("\"{}\" is a placeholder that boards ship with; it identifies nothing", printable(*value, 60)));
    }
    if (!usable && !placeholder) {
      report_.add(ProblemCode::NoIdentity, span_at(own_, "identity"),
                  "[identity] needs at least one of serial, uuid and bmc_guid");
    }
  }

  void boot(const Entry<Network>* network, const Snapshot& snapshot) {
    const auto& boot = machine_.boot;
    if (boot.secure_boot == true && boot.mode == BootMode::Bios && !is_bad("boot.mode")) {
      report_.add(ProblemCode::Conflict, span_at(own_, "boot.secure_boot"), "secure_boot needs mode = \"uefi\"");
    }
    if (boot.network.empty() || is_bad("boot.network")) return;
    if (network == nullptr) {
      std::vector<std::string> names;
      for (const auto& each : snapshot.networks) {
        if (each->provider == machine_.id.provider) names.push_back(each->name);
      }
      report_.add(ProblemCode::UnknownReference, span_at(own_, "boot.network"),
                  fmt::format("provider '{}' has no network '{}'{}", machine_.id.provider, boot.network,
                              meant(boot.network, names)));
    } else if (network->problems.empty() && network->value.role != NetworkRole::Provisioning) {
      report_.add(ProblemCode::WrongRole, span_at(own_, "boot.network"),
                  fmt::format("network '{}' has the role {}; machines boot from one of role provisioning", boot.network,
                              name_of(network->value.role)),
                  network->path);
    }
  }

  void hardware() {
    const auto& disk = machine_.hardware.root_disk;
    if (!disk || is_bad("hardware.root_disk")) return;
    if (disk->min_size_gib && disk->max_size_gib && *disk->min_size_gib > *disk->max_size_gib) {
      report_.add(ProblemCode::Conflict, span_at(own_, "hardware.root_disk"),
                  "min_size_gib is larger than max_size_gib");
    }
    if (*disk == RootDiskHint{}) {
      report_.add(ProblemCode::MissingKey, span_at(own_, "hardware.root_disk"),
                  "root_disk names nothing: add a serial, a size or a type");
    }
  }

 private:
  /// Unless it is there and bad, or a key beside it is unknown and may be meant for it.
  void missing(std::string_view key_path, std::string message) {
    const auto table = key_path.substr(0, key_path.find('.'));
    if (own(key_path) || has_problem(table, ProblemCode::UnknownKey)) return;
    report_.add(ProblemCode::MissingKey, span_at(own_, table), std::move(message));
  }

  /// Whether the walk found something wrong there or below.
  bool is_bad(std::string_view key_path) const { return has_problem(key_path, std::nullopt); }

  bool has_problem(std::string_view key_path, std::optional<ProblemCode> code) const {
    if (before_.empty()) return false;
    const Value* value = nullptr;
    const Table* table = &own_;
    std::uint32_t first = 0;
    for (auto rest = key_path; !rest.empty() && table != nullptr;) {
      const auto dot = std::min(rest.find('.'), rest.size());
      const auto* member = table->member(rest.substr(0, dot));
      if (member == nullptr) return false;
      first = member->key_span.begin.line;
      value = &member->value;
      table = value->table();
      rest.remove_prefix(std::min(dot + 1, rest.size()));
    }
    if (value == nullptr) return false;
    const auto last = std::max(first, last_line(*value));
    return std::ranges::any_of(before_, [&](const Problem& problem) {
      return problem.line >= first && problem.line <= last && (!code || problem.code == *code);
    });
  }

  /// Tables with headers know only where they begin.
  static std::uint32_t last_line(const Value& value) {
    std::uint32_t last = value.span().end.line;
    if (const auto* table = value.table(); table != nullptr && !value.is_inline()) {
      for (const auto& member : table->members()) {
        last = std::max({last, member.key_span.end.line, last_line(member.value)});
      }
    }
    return last;
  }

  bool own(std::string_view key_path) const {
    const auto dot = key_path.find('.');
    const auto* outer = own_.find(key_path.substr(0, dot));
    return outer != nullptr && outer->table() != nullptr && outer->table()->find(key_path.substr(dot + 1)) != nullptr;
  }

  template <class Drop>
  void for_driver(std::string_view key_path, std::string_view driver, Drop drop) {
    if (own(key_path)) {
      report_.add(ProblemCode::WrongDriver, span_at(own_, key_path),
                  fmt::format("'{}' in [{}] is for driver {}; this machine's driver is {}",
                              key_path.substr(key_path.find('.') + 1), key_path.substr(0, key_path.find('.')), driver,
                              machine_.bmc.driver));
    }
    drop();
  }

  void trust() {
    const auto& tls = machine_.bmc.tls;
    check_trust(own_, "bmc", report_);
    if (tls.empty()) {
      missing("bmc.tls",
              "'tls' in [bmc] is missing: add tls = { pin = [\"spki-sha256:…\"] } or tls = { ca = \"…\" }; a BMC is "
              "never talked to unverified");
    }
  }

  void credentials() {
    for (const auto& name : machine_.bmc.credentials) {
      if (name.starts_with("bmc/")) continue;
      report_.add(ProblemCode::CredentialScope, span_at(own_, "bmc.credentials"),
                  fmt::format("a machine may name secrets below bmc/ only, not '{}'", printable(name, 80)));
    }
  }

  DesiredMachine& machine_;
  const Table& own_;
  Report& report_;
  const std::vector<Problem> before_;
};

}  // namespace

void check_trust(const Table& layer, std::string_view where, Report& report) {
  const auto key = std::string(where) + ".tls";
  if (!says(layer, key, "pin") || !says(layer, key, "ca")) return;
  report.add(ProblemCode::Conflict, span_at(layer, key),
             fmt::format("'tls' in [{}] holds both pin and ca: choose one", where));
}

void layer_trust(const Table& layer, TlsTrust& tls) {
  const bool pin = says(layer, "bmc.tls", "pin"), ca = says(layer, "bmc.tls", "ca");
  if (pin && !ca) tls.ca.clear();
  if (ca && !pin) tls.pins.clear();
}

void finish_machine(DesiredMachine& machine, const Table& own, const Entry<Network>* network, const Snapshot& snapshot,
                    Report& report) {
  Finisher finisher(machine, own, report);
  finisher.bmc();
  finisher.identity();
  finisher.boot(network, snapshot);
  finisher.hardware();
}

}  // namespace nimbus::registry
