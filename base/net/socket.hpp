// Sockets: UDP, TCP and UNIX streams. Every descriptor made here is non-blocking
// and closed on exec. Writing to a closed stream must not kill the program: use
// send_some(), which never raises SIGPIPE.
//
// Errors common to all: Unreachable (refused, no route), Invalid (address of the
// wrong kind), Internal (out of descriptors, permission). Thread rule: safe from
// any thread, one thread at a time per descriptor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/net/file_descriptor.hpp"
#include "base/net/socket_address.hpp"
#include "core/result.hpp"

namespace nimbus::base {

/// An Error for `system_error` (an errno value) while doing `what`.
Error socket_error(std::string_view what, int system_error);

/// Bound to `local`; port 0 lets the kernel choose.
Result<FileDescriptor> bind_udp(const SocketAddress& local);
/// Talks to `peer` only: packets from elsewhere are dropped by the kernel and an
/// ICMP "port unreachable" shows as an error of the next call.
Result<FileDescriptor> connect_udp(const SocketAddress& peer);

/// Listens with address reuse. `backlog`: how many connections may wait.
Result<FileDescriptor> listen_tcp(const SocketAddress& local, int backlog = 1024);
/// Begins to connect, with no-delay set. Watch for writing, then ask connect_result().
Result<FileDescriptor> connect_tcp(const SocketAddress& peer);

/// Listens on `path` with exactly the permission bits `mode`. A left-over socket
/// that nobody listens on is replaced. Errors: Conflict (somebody listens there).
Result<FileDescriptor> listen_unix(std::string_view path, unsigned mode, int backlog = 1024);
Result<FileDescriptor> connect_unix(std::string_view path);

/// What became of a connection begun with connect_tcp, once it is writable.
Result<> connect_result(const FileDescriptor& socket);

struct Accepted {
  FileDescriptor socket;
  SocketAddress peer;
};
/// The next waiting connection, if there is one. A connection that was given up
/// meanwhile counts as none.
Result<std::optional<Accepted>> accept_connection(const FileDescriptor& listener);

Result<SocketAddress> local_address(const FileDescriptor& socket);
/// Sends small writes at once (Nagle's algorithm off).
Result<> set_no_delay(const FileDescriptor& socket);

/// Bytes moved now; nothing if the call would block. 0 bytes received on a stream
/// means that the peer ended it.
Result<std::optional<std::size_t>> send_some(const FileDescriptor& socket, std::span<const std::uint8_t> data);
Result<std::optional<std::size_t>> receive_some(const FileDescriptor& socket, std::span<std::uint8_t> room);

}  // namespace nimbus::base
