#include "registry/machine_merge.hpp"

#include <string>
#include <vector>

#include <fmt/core.h>

#include "base/text/text.hpp"
#include "registry/cross_checks.hpp"
#include "registry/dependencies.hpp"
#include "registry/schema/tables.hpp"

namespace nimbus::registry {

using base::toml::Table;

/// Defaults and class merged: the start of every machine of that class.
const DesiredMachine& MachineMerge::prototype(const Entry<ProviderFile>* provider,
                                              const Entry<MachineClass>* of_class) {
  auto& slot = prototypes_[{provider, of_class}];
  if (slot) return *slot;
  slot.emplace();
  std::vector<Problem> reported_already;
  Report unused("", reported_already);
  if (provider != nullptr) walk(tables::kDefaults, provider->value.defaults, &*slot, kInDefaults, unused);
  if (of_class != nullptr) {
    walk(tables::kClass, of_class->value.table, &*slot, kInClass, unused);
    layer_trust(of_class->value.table, slot->bmc.tls);
  }
  return *slot;
}

void MachineMerge::fill(Entry<DesiredMachine>& entry, const std::optional<Table>& table, Report& report) {
  if (!table) {
    entry.digest = digest_of({entry.path}, snapshot_);
    entry.claims = claims_of(entry);
    return;
  }
  const auto* provider = find_provider(snapshot_, entry.provider);
  const auto* of_class = class_of(*table, entry.provider, report);
  auto& machine = entry.value;
  machine = prototype(provider, of_class);
  machine.id = {entry.provider, entry.name};
  machine.path = entry.path;
  walk(tables::kMachine, *table, &machine, kInMachine, report);
  layer_trust(*table, machine.bmc.tls);
  const auto* network = find_network(snapshot_, entry.provider, machine.boot.network);
  // With a broken class or provider the merge says nothing about this file.
  const bool sound =
      (provider == nullptr || provider->problems.empty()) && (of_class == nullptr || of_class->problems.empty());
  if (sound) finish_machine(machine, *table, network, snapshot_, report);

  entry.digest = digest_of(dependencies(entry, snapshot_), snapshot_);
  machine.digest = entry.digest;
  entry.claims = claims_of(entry);
}

const Entry<MachineClass>* MachineMerge::class_of(const Table& table, const std::string& provider,
                                                  Report& report) const {
  const auto* value = table.find("class");
  if (value == nullptr || value->string() == nullptr || value->string()->empty()) return nullptr;
  const auto& name = *value->string();
  const auto* found = find_class(snapshot_, provider, name);
  if (found != nullptr) return found;
  std::vector<std::string> names;
  for (const auto& each : snapshot_.classes) {
    if (each->provider == provider) names.push_back(each->name);
  }
  report.add(ProblemCode::UnknownReference, value->span(),
             fmt::format("provider '{}' has no class '{}'{}", provider, base::printable(name, 80), meant(name, names)));
  return nullptr;
}

}  // namespace nimbus::registry
