// Where status goes: the branch and repository that the first accepted commit names in
// registry.toml, decided once per start. A repository that only the registry names is not
// written to: it would get this controller's credentials.
//
// Thread rule: decide() from the watch thread; the rest from any thread.
#pragma once

#include <atomic>
#include <string>
#include <utility>

#include "controller/config/config.hpp"
#include "controller/fleet/accepted.hpp"
#include "controller/loops/details.hpp"
#include "controller/publisher/publisher.hpp"
#include "controller/watch/watcher.hpp"

namespace nimbus::controller {

/// "refs/heads/<prefix>/<provider>"; an empty prefix is the format's default.
std::string status_branch(const std::string& provider, const std::string& prefix = {});

class StatusPlace {
 public:
  /// The references must outlive this. `remote`: where status goes by nimbusd.toml.
  StatusPlace(const Config& config, registry::GitRemote remote, Publisher& publisher, Details& details)
      : config_(config), remote_(std::move(remote)), publisher_(publisher), details_(details) {}

  /// Tells the publisher and the watcher the place, the first time that it may be used;
  /// later, that a moved place needs a restart. True: the place was settled just now.
  bool decide(const AcceptedRegistry& registry, Watcher& watcher);

  bool settled() const { return settled_; }
  /// In another repository than the registry.
  bool elsewhere() const { return elsewhere_; }

 private:
  const Config& config_;
  const registry::GitRemote remote_;
  Publisher& publisher_;
  Details& details_;
  std::atomic<bool> settled_{false};
  std::atomic<bool> elsewhere_{false};
  std::string place_;        // what was settled, in a line
  bool said_moved_ = false;  // in the log
};

}  // namespace nimbus::controller
