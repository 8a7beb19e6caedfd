// Placement: which machine an instance gets. Pure and deterministic: whoever asks with
// the same facts gets the same answer, and for every machine that was not chosen, why.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/desired/instance.hpp"
#include "core/desired/machine.hpp"

namespace nimbus::reconcilers {

struct Candidate {
  const DesiredMachine* machine = nullptr;
  std::string claimed_by;  // instance; empty: free
  bool admitted = true;    // the provider admits the tenant
  bool healthy = true;     // BMC answers, identity matches
  std::string unhealthy;   // why not
  bool available = false;  // erased by us, as status shows
};

struct NotChosen {
  std::string machine;
  std::string why;
  friend bool operator==(const NotChosen&, const NotChosen&) = default;
};

struct Placement {
  std::string machine;  // empty: none
  std::vector<NotChosen> others;
};

/// Least waste first: fewest cores too many, then least memory, then by name.
Placement place_instance(const Instance& instance, const std::vector<Candidate>& candidates);

}  // namespace nimbus::reconcilers
