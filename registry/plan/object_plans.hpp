// The rows for one object. Internal to registry/plan. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "registry/plan/plan.hpp"

namespace nimbus::registry {

struct MachineContext {
  const MachineFacts* facts = nullptr;  // null: not observed
  std::string pinned_by;                // instance of head that pins it; may be empty
};
std::vector<Change> machine_changes(const DesiredMachine& base, const DesiredMachine& head,
                                    const MachineContext& context);

struct InstanceContext {
  const InstanceFacts* facts = nullptr;
  const Snapshot* base_snapshot = nullptr;
  const Snapshot* head_snapshot = nullptr;
};
std::vector<Change> instance_changes(const InstanceEntry& base, const InstanceEntry& head,
                                     const InstanceContext& context);
Change instance_added(const InstanceEntry& head, const InstanceContext& context);
Change instance_removed(const InstanceEntry& base, const InstanceContext& context);

std::string joined(const std::vector<std::string>& list);

/// A machine whose file goes, and that is nowhere else.
bool leaves_registry(const PlanItem& item) noexcept;
/// What the base's policy says of the items, per provider.
std::vector<LimitVerdict> limits_of(const std::vector<PlanItem>& items, const Snapshot& base);
PlanTotals totals_of(const std::vector<PlanItem>& items);

}  // namespace nimbus::registry
