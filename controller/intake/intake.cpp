#include "controller/intake/intake.hpp"

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "base/crypto/crypto.hpp"
#include "base/toml/reader.hpp"
#include "base/toml/toml.hpp"
#include "registry/git/commit_builder.hpp"
#include "registry/git/commit_source.hpp"

namespace nimbus::controller {
namespace {

using base::toml::Fault;
using base::toml::TableReader;

struct Machine {
  DesiredMachine desired;
  std::vector<Fault> faults;
};

void read_bmc(TableReader& reader, BmcEndpoint& bmc) {
  if (auto v = reader.choice("driver", {"redfish", "ipmi"})) bmc.driver = *v;
  if (auto v = reader.string("address")) bmc.address = *v;
  if (auto v = reader.string("system")) bmc.system = *v;
  if (auto v = reader.strings("credentials")) bmc.credentials = *v;
  if (auto v = reader.integer("cipher_suite")) bmc.cipher_suite = static_cast<int>(*v);
  if (auto v = reader.choice("privilege", {"operator", "administrator"})) {
    bmc.privilege = *v == "operator" ? IpmiPrivilege::Operator : IpmiPrivilege::Administrator;
  }
  if (auto v = reader.strings("quirks")) bmc.quirks = *v;
  if (auto tls = reader.table("tls")) {
    if (auto v = tls->strings("pin")) bmc.tls.pins = *v;
    if (auto v = tls->string("ca")) bmc.tls.ca = *v;
    tls->finish();
  }
  reader.finish();
}

void read_machine(TableReader& top, DesiredMachine& machine) {
  if (auto v = top.choice("power", {"unmanaged", "on", "off"})) machine.power = *parse_wanted_power(*v);
  if (auto v = top.choice("enforcement", {"observe", "enforce"})) machine.enforcement = *parse_enforcement(*v);
  if (auto bmc = top.table("bmc")) read_bmc(*bmc, machine.bmc);
  if (auto identity = top.table("identity")) {
    machine.identity.serial = identity->string("serial").value_or("");
    machine.identity.uuid = identity->string("uuid").value_or("");
    machine.identity.bmc_guid = identity->string("bmc_guid").value_or("");
    machine.mac = identity->string("mac").value_or("");
    identity->finish();
  }
  if (auto life = top.table("lifecycle")) {
    if (auto v = life->choice("state", {"in-service", "maintenance", "retired"})) {
      machine.lifecycle.state = *v == "maintenance" ? LifecycleState::Maintenance
                                : *v == "retired"   ? LifecycleState::Retired
                                                    : LifecycleState::InService;
    }
    machine.lifecycle.hands_off = life->boolean("hands_off").value_or(false);
    machine.lifecycle.reason = life->string("reason").value_or("");
    life->value("existing_data");
    life->finish();
  }
  for (const char* ignored : {"class", "description", "labels", "reserved_for", "location", "hardware", "boot", "bios"}) {
    top.value(ignored);
  }
  top.finish();
}

}  // namespace

struct Intake::State {
  registry::GitRepository& mirror;
  const Clock& clock;
  std::string provider;
  std::shared_ptr<const AcceptedRegistry> before = std::make_shared<AcceptedRegistry>();
};

Intake::Intake(registry::GitRepository& mirror, const Clock& clock, std::string provider)
    : state_(std::make_unique<State>(State{mirror, clock, std::move(provider)})) {}
Intake::~Intake() = default;

Result<std::shared_ptr<const AcceptedRegistry>> Intake::take(const std::string& commit) {
  const registry::CommitSource source(state_->mirror, commit);
  auto entries = source.list();
  if (!entries) return std::move(entries.error());
  auto made = std::make_shared<AcceptedRegistry>();
  made->observed_commit = commit;
  made->accepted_commit = commit;
  const std::string folder = "providers/" + state_->provider + "/machines/";
  for (const auto& entry : *entries) {
    if (!entry.path.starts_with(folder) || !entry.path.ends_with(".toml")) continue;
    auto text = source.read(entry);
    if (!text) return std::move(text.error());
    std::string name = entry.path.substr(entry.path.rfind('/') + 1);
    name.resize(name.size() - 5);
    auto machine = std::make_shared<DesiredMachine>();
    machine->id = {state_->provider, name};
    machine->path = entry.path;
    machine->digest = base::sha256_hex(entry.path + entry.blob);
    std::vector<Fault> faults;
    if (auto parsed = base::toml::parse(*text)) {
      TableReader top(*parsed, "", faults);
      read_machine(top, *machine);
    } else {
      faults.push_back({parsed.error().at, parsed.error().message});
    }
    for (const auto& fault : faults) {
      made->problems.push_back({"invalid", entry.path, static_cast<int>(fault.at.line), static_cast<int>(fault.at.column),
                                fault.message});
    }
    if (faults.empty()) {
      made->machines[name] = {machine, ""};
    } else if (const auto old = state_->before->machines.find(name); old != state_->before->machines.end()) {
      made->machines[name] = {old->second.desired, entry.path + ":" + std::to_string(faults.front().at.line) + ": " +
                                                       faults.front().message};
    } else {
      made->unusable.insert(name);
    }
  }
  if (!made->problems.empty()) made->state = AcceptedRegistry::State::Partly;
  state_->before = made;
  return std::shared_ptr<const AcceptedRegistry>(made);
}

}  // namespace nimbus::controller
