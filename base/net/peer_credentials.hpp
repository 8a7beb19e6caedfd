// Who is on the other side of a UNIX socket, as the kernel knows it: nobody can
// claim to be somebody else. Thread rule: safe from any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "base/net/file_descriptor.hpp"
#include "core/result.hpp"

namespace nimbus::base {

struct PeerCredentials {
  std::uint32_t user = 0;
  std::int32_t process = 0;
  std::vector<std::uint32_t> groups;  // the effective one first, then the supplementary ones
};

/// SO_PEERCRED and SO_PEERGROUPS (unix(7)): those at the moment of connect().
/// Errors: Internal (no UNIX socket).
Result<PeerCredentials> peer_credentials(const FileDescriptor& socket);

}  // namespace nimbus::base
