#include "simulator/http/server.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>

#include "simulator/http/connection.hpp"

namespace nimbus::simulator::http {
namespace {

constexpr int kMostPerWakeup = 64;
constexpr int kSharedBacklog = 4096;

base::FileDescriptor any_descriptor() { return base::FileDescriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

}  // namespace

Server::Server(base::EventLoop& loop, Handler handler, const Limits& limits)
    : loop_(&loop), handler_(std::move(handler)), limits_(limits), spare_(any_descriptor()) {
  sweep_timer_ = loop_->start_timer(limits_.sweep, [this] { sweep(); });
}

Server::~Server() {
  loop_->cancel_timer(sweep_timer_);
  connections_.clear();
  for (const auto& listener : listeners_) loop_->unwatch(listener->socket.get());
}

Result<base::SocketAddress> Server::listen(const base::SocketAddress& address, ListenerTag tag,
                                           std::shared_ptr<base::TlsServerContext> tls) {
  auto socket = base::listen_tcp(address);
  if (!socket) return std::move(socket.error());
  auto bound = base::local_address(*socket);
  if (!bound) return std::move(bound.error());
  if (auto ok = adopt(std::move(*socket), tag, std::move(tls)); !ok) return std::move(ok.error());
  return bound;
}

Result<> Server::watch(std::unique_ptr<Listener> listener) {
  Listener& kept = *listener;
  const auto watched =
      loop_->watch(kept.socket.get(), base::Interest::Read, [this, &kept](base::Ready) { accept_some(kept); });
  if (!watched) return watched.error();
  listeners_.push_back(std::move(listener));
  return {};
}

Result<> Server::adopt(base::FileDescriptor socket, ListenerTag tag, std::shared_ptr<base::TlsServerContext> tls) {
  auto listener = std::make_unique<Listener>();
  listener->socket = std::move(socket);
  listener->tag = tag;
  sites_[tag].tls = std::move(tls);
  return watch(std::move(listener));
}

Result<> Server::listen_shared(std::uint16_t port, std::unordered_map<std::string, ListenerTag> machines,
                               const std::shared_ptr<base::TlsServerContext>& tls) {
  const auto address = base::SocketAddress::numeric({"0.0.0.0", port});
  if (!address) return address.error();
  auto socket = base::listen_tcp(*address, kSharedBacklog);
  if (!socket) return std::move(socket.error());
  constexpr std::string_view kLoopback = "lo";
  if (::setsockopt(socket->get(), SOL_SOCKET, SO_BINDTODEVICE, kLoopback.data(), kLoopback.size()) != 0) {
    return base::socket_error("keep a listener on the loopback interface", errno);
  }
  auto listener = std::make_unique<Listener>();
  listener->socket = std::move(*socket);
  for (const auto& [where, tag] : machines) sites_[tag].tls = tls;
  listener->shared = std::move(machines);
  return watch(std::move(listener));
}

void Server::set_tls(ListenerTag tag, std::shared_ptr<base::TlsServerContext> tls) {
  if (const auto found = sites_.find(tag); found != sites_.end()) found->second.tls = std::move(tls);
}

void Server::disconnect(ListenerTag tag) {
  for (auto it = connections_.begin(); it != connections_.end();) {
    const bool mine = it->second->tag() == tag;
    it = mine ? connections_.erase(it) : std::next(it);
  }
  if (const auto found = sites_.find(tag); found != sites_.end()) found->second.connections = 0;
}

void Server::accept_some(Listener& listener) {
  for (int i = 0; i < kMostPerWakeup; ++i) {
    auto accepted = base::accept_connection(listener.socket);
    if (!accepted) return turn_one_away(listener);
    if (!*accepted) return;
    ListenerTag tag = listener.tag;
    if (!listener.shared.empty()) {
      const auto local = base::local_address((*accepted)->socket);
      const auto found = local ? listener.shared.find(local->text()) : listener.shared.end();
      if (found == listener.shared.end()) continue;  // nobody lives at that address
      tag = found->second;
    }
    take(tag, std::move(**accepted));
  }
}

void Server::turn_one_away(const Listener& listener) {
  // Whom nobody can accept waits on, and wakes the loop again and again.
  spare_.reset();
  static_cast<void>(base::accept_connection(listener.socket));  // and ends at once
  spare_ = any_descriptor();
}

void Server::take(ListenerTag tag, base::Accepted accepted) {
  Site& site = sites_[tag];
  if (site.connections >= kMostPerListener || (gate_ && !gate_(tag))) return;
  if (accepted.peer.family() != AF_UNIX) static_cast<void>(base::set_no_delay(accepted.socket));
  const int fd = accepted.socket.get();
  auto connection = std::make_unique<Connection>(*this, std::move(accepted.socket), accepted.peer, tag, site.tls.get());
  Connection& kept = *connection;
  const auto watched = loop_->watch(fd, base::Interest::Read, [this, &kept](base::Ready ready) {
    if (!kept.progress(ready)) close(kept);
  });
  if (!watched) return;
  ++site.connections;
  connections_[fd] = std::move(connection);
}

void Server::close(Connection& connection) {
  const auto found = sites_.find(connection.tag());
  if (found != sites_.end() && found->second.connections > 0) --found->second.connections;
  connections_.erase(connection.fd());
}

void Server::stream_began(Connection& connection, std::uint64_t stream) {
  streams_[{connection.tag(), stream}] = &connection;
}

void Server::stream_ended(const Connection& connection, std::uint64_t stream) {
  streams_.erase({connection.tag(), stream});
  if (stream_end_) stream_end_(connection.tag(), stream);
}

void Server::publish(ListenerTag tag, std::uint64_t stream, std::string_view text) {
  const auto found = streams_.find({tag, stream});
  if (found != streams_.end() && !found->second->publish(text)) close(*found->second);
}

void Server::end_stream(ListenerTag tag, std::uint64_t stream) {
  if (const auto found = streams_.find({tag, stream}); found != streams_.end()) close(*found->second);
}

void Server::sweep() {
  const MonoTime now = std::chrono::steady_clock::now();
  std::vector<Connection*> overdue;
  for (const auto& [fd, connection] : connections_) {
    if (connection->overdue(now)) overdue.push_back(connection.get());
  }
  for (Connection* connection : overdue) close(*connection);
  sweep_timer_ = loop_->start_timer(limits_.sweep, [this] { sweep(); });
}

}  // namespace nimbus::simulator::http
