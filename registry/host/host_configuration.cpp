#include "registry/host/host_configuration.hpp"

#include <fmt/core.h>

#include "registry/host/complete.hpp"
#include "registry/host/expansion.hpp"
#include "registry/host/merge.hpp"
#include "registry/schema/tables.hpp"

namespace nimbus::registry {
namespace {

/// A profile with its variables replaced, checked once more: what a label stands for need
/// not fit where it is put.
ProfileLayer layer_of(const Entry<ProfileFile>& entry, const VariableScope& scope, std::vector<Problem>& problems) {
  ProfileLayer layer{entry.path, entry.value.table};
  Report report(entry.path, problems);
  for_each_text(layer.table, [&](base::toml::Value& value) {
    if (value.string()->find("{{") == std::string::npos) return;
    std::vector<VariableFault> faults;
    auto text = replace_variables(*value.string(), &scope, faults);
    for (const auto& fault : faults) report_fault(fault, value, report);
    const auto span = value.span();
    value = base::toml::Value(std::move(text));
    value.set_span(span);
  });
  Profile unused;
  const auto level = scope.keep != Keep::Nothing ? level_of(FileKind::Profile) : std::uint8_t{kInMachine};
  walk(tables::kProfile, layer.table, &unused, level, report);
  return layer;
}

HostBuild build(const InstanceEntry& instance, const VariableScope& scope, const HostSources& sources) {
  HostBuild out;
  MergedProfile merged;
  for (const auto& name : instance.value.profiles) {
    const auto* entry = find_profile(sources.snapshot, instance.tenant, name);
    if (entry == nullptr) {
      out.problems.push_back(problem_at({instance.path, {}}, ProblemCode::UnknownReference,
                                        fmt::format("there is no profile '{}'", name)));
    } else if (has_errors(entry->problems) && !entry->stalled) {
      out.problems.insert(out.problems.end(), entry->problems.begin(), entry->problems.end());
    } else {
      merged.add(layer_of(*entry, scope, out.problems));
    }
  }
  // What is not whole cannot be expanded: it would bring the same faults again, as echoes.
  const auto profile = merged.profile();
  if (!has_errors(out.problems)) check_merged(profile, merged, out.problems);
  if (!has_errors(out.problems)) {
    out.configuration = Expansion({profile, merged, instance, scope, sources, out.problems}).run();
  }
  sort_problems(out.problems);
  return out;
}

const Provider* provider_of(const InstanceEntry& instance, const Snapshot& snapshot) {
  const auto* entry = find_provider(snapshot, instance.value.provider);
  return entry != nullptr && !is_unreadable(entry->problems) ? &entry->value.provider : nullptr;
}

}  // namespace

HostBuild host_configuration(const InstanceEntry& instance, const DesiredMachine* machine, const HostSources& sources) {
  return build(instance, {instance, provider_of(instance, sources.snapshot), machine, Keep::Nothing}, sources);
}

HostBuild host_outline(const InstanceEntry& instance, const HostSources& sources, Keep keep) {
  return build(instance, {instance, provider_of(instance, sources.snapshot), nullptr, keep}, sources);
}

}  // namespace nimbus::registry
