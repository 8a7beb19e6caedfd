#include "cli/plan_hosts.hpp"

#include <algorithm>
#include <variant>

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

/// By what its image says; what package manager is there only the host knows.
std::string unproven_of(const InstanceEntry& entry, const PlanSide& side, const host::Configuration& wanted) {
  const auto* image = registry::find_image(side.snapshot, entry.tenant, entry.value.provider, entry.value.image);
  if (image == nullptr || image->value.os.empty()) return {};
  const std::string& os = image->value.os;
  const bool packages = std::ranges::any_of(
      wanted.resources, [](const auto& resource) { return std::holds_alternative<host::Package>(resource.wanted); });
  if (!packages || os == "debian" || os == "ubuntu") return {};
  return "packages on " + os + ": only apt, on Debian, is proven; dnf, zypper and apk were never run by a test";
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
    plan.unproven = unproven_of(*after, head, wanted.configuration);
    if (!registry::has_errors(plan.problems)) {
      plan.changes = registry::host_changes(build(before, machine_before, base).configuration, wanted.configuration);
    }
    if (!plan.changes.empty() || !plan.problems.empty()) out.push_back(std::move(plan));
  }
  return out;
}

}  // namespace nimbus::cli
