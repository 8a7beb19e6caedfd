// The part of a plan that hosts see: per instance, which resources of its host change.
#pragma once

#include <string>
#include <vector>

#include "registry/host/host_changes.hpp"
#include "registry/plan/plan.hpp"
#include "registry/problem.hpp"
#include "registry/snapshot.hpp"
#include "registry/source.hpp"

namespace nimbus::cli {

struct HostPlan {
  std::string instance;  // "acme/web-1"
  std::string machine;   // name; empty: not placed, and variables of the machine are shown as written
  bool applied = false;  // configuration = "enforce"; else differences are only reported
  std::vector<registry::ResourceChange> changes;
  std::string unproven;                     // what is used there that no test has run; empty: nothing
  std::vector<registry::Problem> problems;  // why the head cannot be applied
};

struct PlanSide {
  const registry::Snapshot& snapshot;
  const registry::TreeSource& source;
};

/// Instances of `head` whose host configuration differs, sorted by id; at most
/// kMostHosts of them, the rest is counted in `left_out`.
std::vector<HostPlan> plan_hosts(const PlanSide& base, const PlanSide& head, const registry::PlanFacts& facts,
                                 std::size_t& left_out);
inline constexpr std::size_t kMostHosts = 200;

}  // namespace nimbus::cli
