// What an instance's host should have: its profiles merged in their order, variables and
// references replaced, convenience rows expanded to primitive resources. nimbusd and
// `nimbusctl plan` build it with the same code. Pure but for what `sources` reads.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/desired/machine.hpp"
#include "core/host/resource.hpp"
#include "core/result.hpp"
#include "core/secret.hpp"
#include "registry/host/variables.hpp"
#include "registry/problem.hpp"
#include "registry/snapshot.hpp"

namespace nimbus::registry {

/// How Nimbus itself logs in. Its keys stay on the host whatever profiles and [access] say.
struct ControllerAccess {
  std::string user;
  std::vector<std::string> ssh_keys;
  /// The account is Nimbus's alone: it is made, may become root, and has no other keys.
  /// Else it is one that exists (the image's), and only the keys are looked after.
  bool own_account = false;
  /// False: Nimbus has been told to leave. Its own account, or its keys, go last.
  bool wanted = true;
};

struct HostSources {
  const Snapshot& snapshot;
  std::function<Result<std::string>(const TreeEntry&)> read;  // a file of the registry
  /// The controller's secret, for this host; an error is a problem. Empty: there are no
  /// secrets here (a plan); secret files then have no content and no digest.
  std::function<Result<Secret>(std::string_view name)> secret;
  std::optional<ControllerAccess> access = std::nullopt;
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

/// The same where the instance is placed nowhere: what `keep` says stays as written.
HostBuild host_outline(const InstanceEntry& instance, const HostSources& sources, Keep keep);

}  // namespace nimbus::registry
