// What a probe has to ask for, gathered from all resources, so that each tool of the host
// is called once for all of them. Plain values.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "core/host/resource.hpp"

namespace nimbus::reconcilers::configure {

struct ProbeNeeds {
  std::set<std::string> paths;                                       // kind, owner, group, mode, size
  std::set<std::string> hashed;                                      // of these the content too
  std::uint64_t most_hashed = 0;                                     // bytes: a larger file differs by its size
  std::set<std::string> links;                                       // where they point to
  std::map<std::string, std::pair<std::string, std::string>> owned;  // "folder/prefix" -> both
  std::set<std::string> packages, users, users_with_keys, groups, units, sysctls, modules, mounts, swaps;
  std::map<std::string, host::Mount> mount_sources;  // by path: is this device, file or folder what is mounted there?
  bool hostname = false, timezone = false, locale = false;
  std::map<std::string, host::Block> blocks;       // by id
  std::map<std::string, host::Command> commands;   // by id
  std::map<std::string, std::string> state_names;  // of markers -> id
  std::size_t most_output = 256 * 1024;            // bytes that an answer may have
  std::map<std::string, std::string> tried;        // id of a guarded action -> what would be tried now
};

ProbeNeeds needs_of(const host::Configuration& wanted);

/// What a guarded action and all that notifies it declare, as a digest: after it undid
/// itself, nothing is tried again until this changes.
std::string digest_of_trial(const host::Resource& action, const host::Configuration& wanted);

}  // namespace nimbus::reconcilers::configure
