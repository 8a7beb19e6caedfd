// Who may change something through the control socket: the superuser, the user that
// nimbusd runs as, and whom the configuration names. Thread rule: immutable.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/net/peer_credentials.hpp"
#include "core/result.hpp"

namespace nimbus::controller {

class PeerPolicy {
 public:
  /// Errors: NotFound (this machine knows no such user or group).
  static Result<PeerPolicy> make(const std::vector<std::string>& users, const std::vector<std::string>& groups);
  bool may_change(const base::PeerCredentials& peer) const;

 private:
  std::set<std::uint32_t> users_;
  std::set<std::uint32_t> groups_;
};

/// "alice (uid 1000)", for records; the number alone if it has no name.
std::string describe_peer(const base::PeerCredentials& peer);

}  // namespace nimbus::controller
