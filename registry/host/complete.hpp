// What only the merged profiles of a host show: rows that no profile completes, and
// things that cannot be had together. Pure.
#pragma once

#include <vector>

#include "registry/host/merge.hpp"
#include "registry/problem.hpp"

namespace nimbus::registry {

void check_merged(const Profile& profile, const MergedProfile& merged, std::vector<Problem>& problems);

/// A problem where something was said last.
Problem problem_at(const Place& place, ProblemCode code, std::string message);

}  // namespace nimbus::registry
