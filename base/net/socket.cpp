#include "base/net/socket.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace nimbus::base {
namespace {

Result<FileDescriptor> open_socket(int family, int type) {
  FileDescriptor fd(::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return socket_error("cannot open a socket", errno);
  return fd;
}

Result<FileDescriptor> begin_connect(const SocketAddress& peer, int type) {
  auto fd = open_socket(peer.family(), type);
  if (!fd) return fd;
  if (::connect(fd->get(), peer.data(), peer.size()) != 0 && errno != EINPROGRESS) {
    return socket_error("cannot connect to " + peer.text(), errno);
  }
  return fd;
}

bool would_block(int system_error) noexcept { return system_error == EAGAIN; }

/// Whether a UNIX socket at `address` is one that nobody listens on any more.
bool is_left_over(const SocketAddress& address, const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0 || !S_ISSOCK(info.st_mode)) return false;
  const FileDescriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  return probe && ::connect(probe.get(), address.data(), address.size()) != 0 && errno == ECONNREFUSED;
}

}  // namespace

Error socket_error(std::string_view what, int system_error) {
  Code code = Code::Internal;
  switch (system_error) {
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENETDOWN:
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
    case ENOENT:
      code = Code::Unreachable;
      break;
    case ETIMEDOUT:
      code = Code::Timeout;
      break;
    case EADDRINUSE:
      code = Code::Conflict;
      break;
    case EAFNOSUPPORT:
    case EADDRNOTAVAIL:
    case EINVAL:
      code = Code::Invalid;
      break;
    default:
      break;
  }
  return Error{code, std::string(what) + ": " + std::generic_category().message(system_error)};
}

Result<FileDescriptor> bind_udp(const SocketAddress& local) {
  auto fd = open_socket(local.family(), SOCK_DGRAM);
  if (!fd) return fd;
  if (::bind(fd->get(), local.data(), local.size()) != 0) return socket_error("cannot bind to " + local.text(), errno);
  return fd;
}

Result<FileDescriptor> connect_udp(const SocketAddress& peer) { return begin_connect(peer, SOCK_DGRAM); }

Result<FileDescriptor> listen_tcp(const SocketAddress& local, int backlog) {
  auto fd = open_socket(local.family(), SOCK_STREAM);
  if (!fd) return fd;
  const int yes = 1;
  ::setsockopt(fd->get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(fd->get(), local.data(), local.size()) != 0) return socket_error("cannot bind to " + local.text(), errno);
  if (::listen(fd->get(), backlog) != 0) return socket_error("cannot listen on " + local.text(), errno);
  return fd;
}

Result<FileDescriptor> connect_tcp(const SocketAddress& peer) {
  auto fd = begin_connect(peer, SOCK_STREAM);
  if (!fd) return fd;
  if (auto done = set_no_delay(*fd); !done) return std::move(done.error());
  return fd;
}

Result<FileDescriptor> listen_unix(std::string_view path, unsigned mode, int backlog) {
  const auto address = SocketAddress::unix_path(path);
  if (!address) return address.error();
  auto fd = open_socket(AF_UNIX, SOCK_STREAM);
  if (!fd) return fd;
  const std::string name(path);
  if (is_left_over(*address, name)) ::unlink(name.c_str());
  // The mode is set before bind(), so there is no moment with wider permissions,
  // and again after it, because bind() applies the umask.
  if (::fchmod(fd->get(), mode) != 0) return socket_error("cannot set the mode of " + name, errno);
  if (::bind(fd->get(), address->data(), address->size()) != 0) return socket_error("cannot bind to " + name, errno);
  if (::chmod(name.c_str(), mode) != 0) return socket_error("cannot set the mode of " + name, errno);
  if (::listen(fd->get(), backlog) != 0) return socket_error("cannot listen on " + name, errno);
  return fd;
}

Result<FileDescriptor> connect_unix(std::string_view path) {
  const auto address = SocketAddress::unix_path(path);
  if (!address) return address.error();
  auto fd = open_socket(AF_UNIX, SOCK_STREAM);
  if (!fd) return fd;
  if (::connect(fd->get(), address->data(), address->size()) != 0) {
    const int why = errno;
    if (would_block(why)) return Error{Code::Busy, "too many connections wait at " + address->text()};
    return socket_error("cannot connect to " + address->text(), why);
  }
  return fd;
}

Result<> connect_result(const FileDescriptor& socket) {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) return socket_error("cannot connect", error);
  return {};
}

Result<std::optional<Accepted>> accept_connection(const FileDescriptor& listener) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  auto* const address = reinterpret_cast<sockaddr*>(&storage);
  FileDescriptor fd(::accept4(listener.get(), address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (fd) return std::optional<Accepted>(Accepted{std::move(fd), SocketAddress(address, size)});
  const int why = errno;
  // accept(2): errors of the waiting connection itself show here and concern only it.
  if (would_block(why) || why == EINTR || why == ECONNABORTED || why == EPROTO || why == EPERM || why == ENETDOWN ||
      why == EHOSTUNREACH || why == ENETUNREACH) {
    return std::optional<Accepted>();
  }
  return socket_error("cannot accept a connection", why);
}

Result<SocketAddress> local_address(const FileDescriptor& socket) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  auto* const address = reinterpret_cast<sockaddr*>(&storage);
  if (::getsockname(socket.get(), address, &size) != 0) return socket_error("cannot read the local address", errno);
  return SocketAddress(address, size);
}

Result<> set_no_delay(const FileDescriptor& socket) {
  const int yes = 1;
  if (::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) != 0) {
    return socket_error("cannot set TCP_NODELAY", errno);
  }
  return {};
}

Result<std::optional<std::size_t>> send_some(const FileDescriptor& socket, std::span<const std::uint8_t> data) {
  for (;;) {
    const auto sent = ::send(socket.get(), data.data(), data.size(), MSG_NOSIGNAL);
    if (sent >= 0) return std::optional<std::size_t>(static_cast<std::size_t>(sent));
    if (would_block(errno)) return std::optional<std::size_t>();
    if (errno != EINTR) return socket_error("cannot send", errno);
  }
}

Result<std::optional<std::size_t>> receive_some(const FileDescriptor& socket, std::span<std::uint8_t> room) {
  for (;;) {
    const auto got = ::recv(socket.get(), room.data(), room.size(), 0);
    if (got >= 0) return std::optional<std::size_t>(static_cast<std::size_t>(got));
    if (would_block(errno)) return std::optional<std::size_t>();
    if (errno != EINTR) return socket_error("cannot receive", errno);
  }
}

}  // namespace nimbus::base
