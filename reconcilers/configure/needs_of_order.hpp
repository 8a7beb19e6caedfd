// What a resource needs, and what its kind usually comes after. Pure.
#pragma once

#include <cstddef>
#include <vector>

#include "core/host/resource.hpp"

namespace nimbus::reconcilers::configure {

/// For each position those that must be right before, without duplicates: `after`, what
/// notifies it, its owner and group, its folder, the mount below which it lies, the groups of
/// a user, the unit file of a unit.
std::vector<std::vector<std::size_t>> direct_needs(const host::Configuration& wanted);

/// Where the kind stands by habit, from 1 (packages) on.
int rank_of(const host::Wanted& wanted);

/// True: it tells the package manager where packages come from, and comes before all else: a
/// file in a folder of repositories or keys, and an action that only such files notify.
std::vector<bool> repository_ranks(const host::Configuration& wanted);

}  // namespace nimbus::reconcilers::configure
