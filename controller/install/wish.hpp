// What the registry in force asks of this provider's instances, with references
// resolved. Pure.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/desired/image.hpp"
#include "core/desired/instance.hpp"
#include "core/desired/network.hpp"
#include "core/desired/policy.hpp"
#include "core/desired/provider.hpp"
#include "registry/snapshot.hpp"

namespace nimbus::controller {

struct InstanceWish {
  Instance instance;
  std::string path;
  Image image;
  std::vector<std::string> ssh_keys;  // persons replaced by their keys
  std::string user_data;              // what access.user_data names
  std::string problem;                // why it cannot be installed; empty: it can
  friend bool operator==(const InstanceWish&, const InstanceWish&) = default;
};

struct Wishes {
  std::string commit;
  std::map<std::string, InstanceWish> instances;  // by id, of this provider
  std::map<std::string, Network> networks;        // by name
  Provider provider;
  std::map<std::string, Tenant> tenants;
  /// Of other providers: they count for quotas and groups.
  std::shared_ptr<const std::vector<Instance>> elsewhere = std::make_shared<std::vector<Instance>>();
};

/// Reads a file of the registry.
using ReadFile = std::function<Result<std::string>(const registry::TreeEntry&)>;

/// `snapshot` may be null: nothing is in force yet.
Wishes wishes_of(const registry::Snapshot* snapshot, const std::string& provider, const std::string& commit,
                 const ReadFile& read);

}  // namespace nimbus::controller
