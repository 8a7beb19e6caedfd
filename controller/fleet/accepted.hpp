// The registry as accepted: what is in force for this provider, as one immutable
// value, swapped as a whole when a commit was accepted.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "controller/fleet/machine_table.hpp"
#include "controller/guard/policy.hpp"
#include "core/desired/registry.hpp"
#include "core/result.hpp"

namespace nimbus::registry {
struct Snapshot;
}

namespace nimbus::controller {

struct RegistryProblem {
  std::string code;
  std::string file;
  int line = 0;
  int column = 0;
  std::string message;
};

struct AcceptedRegistry {
  enum class State {
    Accepted,
    Partly,   // some objects stay on their earlier version
    Refused,  // only its brakes count
    Held,     // the same, until a person approves the plan or confirms the history
  };
  State state = State::Accepted;
  std::string held_plan;        // digest of the plan to be approved; empty: none
  std::string observed_commit;  // the newest one seen
  std::string accepted_commit;  // the newest one of which something is in force
  std::vector<RegistryProblem> problems;
  MachineTable machines;  // of this provider
  Policy policy;
  std::shared_ptr<const registry::Snapshot> in_force;  // all of it, of all providers; null: nothing yet
  RegistrySettings::Status status;                     // where status goes
  /// Machines whose file is there but that were never accepted: not ours to touch,
  /// and not gone either.
  std::set<std::string> unusable;
};

}  // namespace nimbus::controller
