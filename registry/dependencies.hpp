// Which files define an object: its own first, then what it refers to. The desired
// digest covers them, and a bad one stalls the object. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "registry/snapshot.hpp"

namespace nimbus::registry {

/// Paths, whether the files exist or not.
std::vector<std::string> dependencies(const Entry<DesiredMachine>& entry, const Snapshot& snapshot);
std::vector<std::string> dependencies(const Entry<Instance>& entry, const Snapshot& snapshot);
std::vector<std::string> dependencies(const Entry<ProviderFile>& entry, const Snapshot& snapshot);
std::vector<std::string> dependencies(const Entry<MachineClass>& entry, const Snapshot& snapshot);
std::vector<std::string> dependencies(const Entry<Network>& entry, const Snapshot& snapshot);
std::vector<std::string> dependencies(const Entry<Image>& entry, const Snapshot& snapshot);
std::vector<std::string> dependencies(const Entry<ProfileFile>& entry, const Snapshot& snapshot);

/// A file below files/ that a profile names, and where in the profile: "file.0.source".
struct ContentSource {
  std::string path, key;
};
std::vector<ContentSource> content_sources(const Profile& profile);
/// `path` below files/: the tenant's own before everybody's. Null: there is none.
const TreeEntry* find_content(const Snapshot& snapshot, std::string_view tenant, std::string_view path);

/// SHA-256 (hex) over path and blob id of all of them.
std::string digest_of(const std::vector<std::string>& files, const Snapshot& snapshot);

}  // namespace nimbus::registry
