// One host to be configured: an instance of this provider that runs, with what is known of
// the way to it. Plain values.
#pragma once

#include <memory>
#include <string>

#include "core/desired/instance.hpp"
#include "core/desired/machine.hpp"
#include "core/ports/host.hpp"
#include "registry/snapshot.hpp"

namespace nimbus::controller {

struct HostTarget {
  std::string instance;  // "acme/web-1"
  std::string path;      // of its file
  std::string machine;   // name; empty: not placed
  ConfigurationMode mode = ConfigurationMode::None;
  HostEndpoint endpoint;
  bool adopted = false;
  std::shared_ptr<const registry::Snapshot> snapshot;  // in force
  registry::EntryPtr<Instance> entry;
  std::shared_ptr<const DesiredMachine> desired;  // null: not among our machines
  std::string commit;                             // in force
  std::string digest;                             // of all that defines the configuration
};

}  // namespace nimbus::controller
