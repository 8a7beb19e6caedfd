// Server: HTTP/1.1 over TLS or plain sockets, for many addresses on one event loop:
// kept connections, one request at a time on each, all sizes and times bounded.
//
// Answers may be given later, from a timer. Thread rule: the event loop's thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <unordered_map>

#include "base/net/event_loop.hpp"
#include "base/net/socket.hpp"
#include "base/tls/server_context.hpp"
#include "simulator/http/message.hpp"

namespace nimbus::simulator::http {

class Connection;

/// Which listener a request came through, for a server of many.
using ListenerTag = std::size_t;

struct Visit {
  ListenerTag listener = 0;
  const base::SocketAddress* peer = nullptr;
};

class Server {
 public:
  /// Called once per request; the answer is sent according to its Spoil.
  using Handler = std::function<Response(const Request&, const Visit&)>;
  /// Asked before a connection is taken; false closes it at once.
  using Gate = std::function<bool(ListenerTag)>;

  /// When a connection is ended that leads nowhere.
  struct Limits {
    std::chrono::milliseconds idle = std::chrono::seconds(120);
    std::chrono::milliseconds request = std::chrono::seconds(30);  // from the first byte to the last
    std::chrono::milliseconds unread = std::chrono::seconds(30);   // nothing of an answer was taken
    std::chrono::milliseconds sweep = std::chrono::seconds(5);     // how often they are looked at
  };
  static constexpr std::size_t kMostPerListener = 200;  // what bmcweb allows

  Server(base::EventLoop& loop, Handler handler) : Server(loop, std::move(handler), Limits()) {}
  Server(base::EventLoop& loop, Handler handler, const Limits& limits);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  void set_gate(Gate gate) { gate_ = std::move(gate); }
  /// Plain if there is no context. Errors: those of listen_tcp.
  Result<base::SocketAddress> listen(const base::SocketAddress& address, ListenerTag tag,
                                     std::shared_ptr<base::TlsServerContext> tls);
  /// Takes over a listening socket, as of a UNIX path.
  Result<> adopt(base::FileDescriptor listener, ListenerTag tag, std::shared_ptr<base::TlsServerContext> tls);
  /// One socket for many machines on the loopback network, told apart by the address that
  /// a client connected to ("127.1.0.7:443"): for fleets that have more machines than the
  /// process may have descriptors. Reachable from this host only. Errors: as for listen().
  Result<> listen_shared(std::uint16_t port, std::unordered_map<std::string, ListenerTag> machines,
                         const std::shared_ptr<base::TlsServerContext>& tls);
  /// New connections of this listener get another certificate.
  void set_tls(ListenerTag tag, std::shared_ptr<base::TlsServerContext> tls);
  /// Ends all connections of a listener, as a BMC that restarts does.
  void disconnect(ListenerTag tag);

  /// Told when a stream's connection ends, whoever ended it.
  using StreamEnd = std::function<void(ListenerTag, std::uint64_t)>;
  void set_stream_end(StreamEnd end) { stream_end_ = std::move(end); }
  /// Adds to the body of a stream; nothing happens if there is none of that number.
  void publish(ListenerTag tag, std::uint64_t stream, std::string_view text);
  void end_stream(ListenerTag tag, std::uint64_t stream);

  std::size_t connection_count() const noexcept { return connections_.size(); }
  std::uint64_t served() const noexcept { return served_; }

 private:
  friend class Connection;
  struct Listener {
    base::FileDescriptor socket;
    ListenerTag tag = 0;
    std::unordered_map<std::string, ListenerTag> shared;  // by local address; empty: all is `tag`
  };
  /// What connects to one machine.
  struct Site {
    std::shared_ptr<base::TlsServerContext> tls;
    std::size_t connections = 0;
  };
  Result<> watch(std::unique_ptr<Listener> listener);
  void accept_some(Listener& listener);
  void take(ListenerTag tag, base::Accepted accepted);
  void turn_one_away(const Listener& listener);
  void close(Connection& connection);
  void stream_began(Connection& connection, std::uint64_t stream);
  void stream_ended(const Connection& connection, std::uint64_t stream);
  void sweep();

  base::EventLoop* loop_;
  Handler handler_;
  Limits limits_;
  base::FileDescriptor spare_;  // given up to turn a client away when there are no others
  Gate gate_;
  StreamEnd stream_end_;
  std::map<std::pair<ListenerTag, std::uint64_t>, Connection*> streams_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::unordered_map<ListenerTag, Site> sites_;
  std::unordered_map<int, std::unique_ptr<Connection>> connections_;
  base::EventLoop::TimerId sweep_timer_ = base::EventLoop::TimerId::None;
  std::uint64_t served_ = 0;
};

}  // namespace nimbus::simulator::http
