// The watcher: has the registry's branch moved, and has somebody written to our
// status branch?
//
// One look is one exchange with the forge (both tips at once), and a fetch only if
// the registry moved. A tip that does not descend from the one seen before means
// rewritten history: it is held until a person confirms, and what was accepted stays
// in force. A forge that does not answer changes nothing either.
//
// Thread rule: one thread at a time.
#pragma once

#include <optional>
#include <string>

#include "core/call.hpp"
#include "core/result.hpp"
#include "registry/git/repository.hpp"
#include "registry/git/transport.hpp"

namespace nimbus::controller {

struct WatchedBranches {
  std::string registry;  // "refs/heads/main"
  std::string status;    // "refs/heads/nimbus/status/<provider>"; empty: in another repository
};

/// What one look found.
struct Look {
  registry::ObjectId tip;                        // of the registry's branch, as taken over
  bool moved = false;                            // it is another one than at the look before
  std::optional<registry::ObjectId> status_tip;  // nothing: no such branch there
  std::string held;                              // why the newest tip was not taken over; empty: it was
  registry::ObjectId held_tip;                   // that tip, in the mirror; empty: none is held
};

class Watcher {
 public:
  /// The mirror keeps the tip taken over in this reference, across restarts.
  static constexpr const char* kSeen = "refs/nimbus/seen";
  /// Where a person's confirmation of a rewritten history is kept: the tip that was held
  /// when it was given. The next look takes that tip over, and no other.
  static constexpr const char* kConfirmed = "refs/nimbus/confirmed";

  Watcher(registry::GitRepository& mirror, registry::GitTransport& transport, const registry::GitRemote& remote,
          WatchedBranches branches)
      : mirror_(mirror), transport_(transport), remote_(remote), branches_(std::move(branches)) {}

  /// The status branch to look at; empty: it lies in another repository.
  void watch_status(std::string branch) { branches_.status = std::move(branch); }

  /// Errors: those of GitTransport and GitRepository, and NotFound if the registry
  /// has no such branch.
  Result<Look> look(const Call& call);

 private:
  Result<bool> confirmed(const registry::ObjectId& tip);

  registry::GitRepository& mirror_;
  registry::GitTransport& transport_;
  const registry::GitRemote& remote_;
  WatchedBranches branches_;
};

}  // namespace nimbus::controller
