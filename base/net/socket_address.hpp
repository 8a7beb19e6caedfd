// Addresses of sockets: as a person writes them, and as the kernel wants them.
//
// Thread rule: plain values; the functions are safe from any thread.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace nimbus::base {

/// A host (name, IPv4 or IPv6 address without brackets) and a port.
struct HostPort {
  std::string host;
  std::uint16_t port = 0;

  /// "host:port", "[::1]:port".
  std::string text() const;
  friend bool operator==(const HostPort&, const HostPort&) = default;
};

/// Reads "host", "host:623", "192.0.2.1:623", "[::1]:623", "[::1]" or "::1". The
/// host is an address or a name of letters, digits, '-', '_' and '.', so it is safe
/// in logs and arguments. Errors: Invalid.
Result<HostPort> parse_host_port(std::string_view text, std::uint16_t default_port);

/// An IPv4, IPv6 or UNIX address.
class SocketAddress {
 public:
  SocketAddress() = default;
  /// Copies what the kernel gave; `size` bytes, cut to the largest address there is.
  SocketAddress(const sockaddr* address, socklen_t size) noexcept;

  /// A numeric address only; never asks a name server. Errors: Invalid.
  static Result<SocketAddress> numeric(const HostPort& where);
  /// Errors: Invalid (empty, too long for the kernel: 107 bytes).
  static Result<SocketAddress> unix_path(std::string_view path);

  const sockaddr* data() const noexcept { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const noexcept { return size_; }
  int family() const noexcept { return storage_.ss_family; }
  /// 0 for a UNIX address.
  std::uint16_t port() const noexcept;
  /// "192.0.2.1:623", "[::1]:623", "unix:/run/x.sock"; "" if there is none.
  std::string text() const;

  friend bool operator==(const SocketAddress& a, const SocketAddress& b) noexcept;

 private:
  sockaddr_storage storage_{};
  socklen_t size_ = 0;
};

/// All addresses of `where`, best first. May ask name servers and then blocks for
/// as long as the system's resolver takes (resolv.conf: usually up to 10 s for a
/// dead server): never call it on an event loop. A numeric address does not block.
/// Errors: Unreachable (no such name, no answer from the name server), Internal.
Result<std::vector<SocketAddress>> resolve(const HostPort& where);

}  // namespace nimbus::base
