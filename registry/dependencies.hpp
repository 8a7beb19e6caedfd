// Which files define an object: its own first, then what it refers to. The desired
// digest covers them, and a bad one stalls the object. Pure.
#pragma once

#include <string>
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
std::vector<std::string> dependencies(const Entry<Profile>& entry, const Snapshot& snapshot);

/// SHA-256 (hex) over path and blob id of all of them.
std::string digest_of(const std::vector<std::string>& files, const Snapshot& snapshot);

}  // namespace nimbus::registry
