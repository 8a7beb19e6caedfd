#include "cli/plan_hosts.hpp"

namespace nimbus::cli {
namespace {

using registry::InstanceEntry;
using registry::MachineEntry;

bool is_configured(const InstanceEntry* entry) {
  return entry != nullptr && entry->value.configuration != ConfigurationMode::None;
}

/// Where the instance runs, or is going to.
const MachineEntry* machine_of(const InstanceEntry& entry, const PlanSide& side, const registry::PlanFacts& facts) {
  const auto placed = facts.instances.find(entry.id());
  const auto& name = placed != facts.instances.end() && !placed->second.machine.empty()
                         ? placed->second.machine
                         : entry.value.requirements.machine;
  return name.empty() ? nullptr : registry::find_machine(side.snapshot, entry.value.provider, name);
}

registry::HostBuild build(const InstanceEntry* entry, const MachineEntry* machine, const PlanSide& side) {
  if (!is_configured(entry)) return {};
  const registry::HostSources sources{.snapshot = side.snapshot,
                                      .read = [&](const registry::TreeEntry& file) { return side.source.read(file); },
                                      .secret = {}};
  return machine != nullptr ? registry::host_configuration(*entry, &machine->value, sources)
                            : registry::host_outline(*entry, sources, registry::Keep::OfMachine);
}

}  // namespace

std::vector<HostPlan> plan_hosts(const PlanSide& base, const PlanSide& head, const registry::PlanFacts& facts,
                                 std::size_t& left_out) {
  std::vector<HostPlan> out;
  left_out = 0;
  for (const auto& after : head.snapshot.instances) {
    const auto* before = registry::find_instance(base.snapshot, after->tenant, after->name);
    if (!is_configured(before) && !is_configured(after.get())) continue;
    const auto* machine = machine_of(*after, head, facts);
    const auto* machine_before = before != nullptr ? machine_of(*before, base, facts) : nullptr;
    const auto digest = [](const MachineEntry* entry) { return entry != nullptr ? entry->digest : std::string(); };
    const bool same = before != nullptr && before->digest == after->digest && digest(machine) == digest(machine_before);
    if (same) continue;
    if (out.size() == kMostHosts) {
      ++left_out;
      continue;
    }
    auto wanted = build(after.get(), machine, head);
    HostPlan plan{.instance = after->id(),
                  .machine = machine != nullptr ? machine->name : std::string(),
                  .applied = after->value.configuration == ConfigurationMode::Enforce};
    plan.problems = std::move(wanted.problems);
    if (!registry::has_errors(plan.problems)) {
      plan.changes = registry::host_changes(build(before, machine_before, base).configuration, wanted.configuration);
    }
    if (!plan.changes.empty() || !plan.problems.empty()) out.push_back(std::move(plan));
  }
  return out;
}

}  // namespace nimbus::cli
