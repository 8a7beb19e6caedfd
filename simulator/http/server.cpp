#include "simulator/http/server.hpp"

#include "simulator/http/connection.hpp"

namespace nimbus::simulator::http {
namespace {

constexpr auto kSweepEvery = std::chrono::seconds(5);
constexpr int kMostPerWakeup = 64;

}  // namespace

Server::Server(base::EventLoop& loop, Handler handler) : loop_(&loop), handler_(std::move(handler)) {
  sweep_timer_ = loop_->start_timer(kSweepEvery, [this] { sweep(); });
}

Server::~Server() {
  loop_->cancel_timer(sweep_timer_);
  connections_.clear();
  for (const auto& [tag, listener] : listeners_) loop_->unwatch(listener->socket.get());
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

Result<> Server::adopt(base::FileDescriptor socket, ListenerTag tag, std::shared_ptr<base::TlsServerContext> tls) {
  auto listener = std::make_unique<Listener>();
  listener->socket = std::move(socket);
  listener->tag = tag;
  listener->tls = std::move(tls);
  Listener& kept = *listener;
  if (auto ok =
          loop_->watch(kept.socket.get(), base::Interest::Read, [this, &kept](base::Ready) { accept_some(kept); });
      !ok)
    return ok;
  listeners_[tag] = std::move(listener);
  return {};
}

void Server::set_tls(ListenerTag tag, std::shared_ptr<base::TlsServerContext> tls) {
  if (const auto found = listeners_.find(tag); found != listeners_.end()) found->second->tls = std::move(tls);
}

void Server::disconnect(ListenerTag tag) {
  for (auto it = connections_.begin(); it != connections_.end();) {
    const bool mine = it->second->tag() == tag;
    it = mine ? connections_.erase(it) : std::next(it);
  }
  if (const auto found = listeners_.find(tag); found != listeners_.end()) found->second->connections = 0;
}

void Server::accept_some(Listener& listener) {
  for (int i = 0; i < kMostPerWakeup; ++i) {
    auto accepted = base::accept_connection(listener.socket);
    if (!accepted || !*accepted) return;
    if (listener.connections >= kMostPerListener || (gate_ && !gate_(listener.tag))) continue;
    base::FileDescriptor socket = std::move((*accepted)->socket);
    if ((*accepted)->peer.family() != AF_UNIX) static_cast<void>(base::set_no_delay(socket));
    const int fd = socket.get();
    auto connection =
        std::make_unique<Connection>(*this, std::move(socket), (*accepted)->peer, listener.tag, listener.tls.get());
    Connection& kept = *connection;
    const auto watched = loop_->watch(fd, base::Interest::Read, [this, &kept](base::Ready ready) {
      if (!kept.progress(ready)) close(kept);
    });
    if (!watched) continue;
    ++listener.connections;
    connections_[fd] = std::move(connection);
  }
}

void Server::close(Connection& connection) {
  const auto found = listeners_.find(connection.tag());
  if (found != listeners_.end() && found->second->connections > 0) --found->second->connections;
  connections_.erase(connection.fd());
}

void Server::sweep() {
  const MonoTime now = std::chrono::steady_clock::now();
  std::vector<Connection*> overdue;
  for (const auto& [fd, connection] : connections_) {
    if (connection->overdue(now)) overdue.push_back(connection.get());
  }
  for (Connection* connection : overdue) close(*connection);
  sweep_timer_ = loop_->start_timer(kSweepEvery, [this] { sweep(); });
}

}  // namespace nimbus::simulator::http
