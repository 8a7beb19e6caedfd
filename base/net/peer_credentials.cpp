#include "base/net/peer_credentials.hpp"

#include <sys/socket.h>
#include <sys/types.h>

#include <cerrno>

#include "base/net/socket.hpp"

namespace nimbus::base {
namespace {

/// More groups than a person has anywhere; the kernel says if it is not enough.
constexpr std::size_t kUsualGroups = 64;
constexpr std::size_t kMostGroups = 65'536;  // NGROUPS_MAX of Linux

}  // namespace

Result<PeerCredentials> peer_credentials(const FileDescriptor& socket) {
  ucred who{};
  socklen_t size = sizeof who;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0)
    return socket_error("asking who is connected", errno);
  PeerCredentials peer{.user = who.uid, .process = who.pid, .groups = {}};
  std::vector<gid_t> groups(kUsualGroups);
  for (int attempt = 0; attempt < 2; ++attempt) {
    size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) == 0) break;
    if (errno != ERANGE || size / sizeof(gid_t) > kMostGroups)
      return socket_error("asking for the peer's groups", errno);
    groups.resize(size / sizeof(gid_t));
  }
  groups.resize(size / sizeof(gid_t));
  peer.groups.push_back(who.gid);
  peer.groups.insert(peer.groups.end(), groups.begin(), groups.end());
  return peer;
}

}  // namespace nimbus::base
