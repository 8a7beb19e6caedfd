// The network side of Git: what other repositories have, and moving commits between
// them and the local one. An interface, so that tests can fail each call in each way.
//
// Errors common to all: Unreachable, Timeout (the effect of a push is unknown),
// Cancelled, Auth, Untrusted (certificate or host key is not the expected one),
// NotFound (no such repository or reference), Invalid (a url or name that cannot be),
// Internal (no git program, disk full).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/call.hpp"
#include "core/result.hpp"
#include "registry/git/objects.hpp"
#include "registry/git/remote.hpp"

namespace nimbus::registry {

struct FetchRef {
  std::string remote;  // "refs/heads/main"
  std::string local;   // "refs/nimbus/incoming/main": overwritten, whatever it was
};

/// Thread rule: safe from any thread; calls on the same local repository that write
/// the same references are the caller's to serialise.
class GitTransport {
 public:
  virtual ~GitTransport() = default;

  /// Which commits the given full reference names have there, in one exchange; names
  /// that do not exist are left out.
  virtual Result<std::map<std::string, ObjectId>> list_remote(const GitRemote& remote,
                                                              const std::vector<std::string>& references,
                                                              const Call& call) = 0;

  /// Brings the commits of `references` with all that they need. All or nothing.
  virtual Result<> fetch(const GitRemote& remote, const std::vector<FetchRef>& references, const Call& call) = 0;

  /// Sets `reference` there to `commit` if it is at `expected` (nothing: does not
  /// exist). Errors: also Conflict (it is not: somebody else moved it; nothing was
  /// changed), Auth (the server refuses this push, for example by a branch rule).
  virtual Result<> push(const GitRemote& remote, const ObjectId& commit, const std::string& reference,
                        const std::optional<ObjectId>& expected, const Call& call) = 0;
};

}  // namespace nimbus::registry
