// What bounds disruption and destruction at one provider. Plain values.
#pragma once

#include <vector>

#include "core/desired/policy.hpp"
#include "core/desired/provider.hpp"

namespace nimbus::controller {

/// A commit cannot loosen the limits that it is judged by: those of the policy
/// accepted before count as well.
struct Policy {
  std::vector<Limits> limits;       // all of them hold
  Provider::Disruption disruption;  // the provider's own, tighter ones
  std::vector<Approval> approvals;  // in force, expired ones too
  friend bool operator==(const Policy&, const Policy&) = default;
};

}  // namespace nimbus::controller
