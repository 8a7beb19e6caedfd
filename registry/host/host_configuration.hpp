// What an instance's host should have: its profiles merged in their order, variables and
// references replaced, convenience rows expanded to primitive resources. nimbusd and
// `nimbusctl plan` build it with the same code. Pure but for what `sources` reads.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/desired/machine.hpp"
#include "core/host/resource.hpp"
#include "core/result.hpp"
#include "core/secret.hpp"
#include "registry/problem.hpp"
#include "registry/snapshot.hpp"

namespace nimbus::registry {

struct HostSources {
  const Snapshot& snapshot;
  std::function<Result<std::string>(const TreeEntry&)> read;  // a file of the registry
  /// The controller's secret, for this host. A plan has none: it answers NotFound, and
  /// secret files then have no content and no digest.
  std::function<Result<Secret>(std::string_view name)> secret;
};

struct HostBuild {
  host::Configuration configuration;  // sorted by id
  /// Conflicts, unknown variables, missing files or secrets. With a problem the
  /// configuration must not be applied: it is not what people meant.
  std::vector<Problem> problems;
};

/// `machine`: where the instance is placed; null: nowhere yet, and variables of the
/// machine are problems.
HostBuild host_configuration(const InstanceEntry& instance, const DesiredMachine* machine, const HostSources& sources);

}  // namespace nimbus::registry
