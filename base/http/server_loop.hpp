// The inside of HttpServer: connections on one event loop, handlers on workers.
// All of `connections_` belongs to the loop's thread; workers see only a request
// and post the answer back by the connection's number.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "base/http/server.hpp"
#include "base/net/event_loop.hpp"
#include "base/net/socket.hpp"

namespace nimbus::base {

class HttpServer::Loop {
  friend class HttpStream;  // posts what it has to send

 public:
  Loop(std::unique_ptr<EventLoop> events, FileDescriptor listener, std::vector<HttpRoute> routes,
       const HttpServerLimits& limits);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  Result<> start();
  void stop();

 private:
  using Id = std::uint64_t;
  // Draining: answered, our side closed; what the client still sends is thrown away
  // so that a reset cannot overtake the answer.
  // Streaming: the answer has no end; what the client sends is thrown away.
  enum class Phase : std::uint8_t { Idle, Head, Body, Handling, Writing, Draining, Streaming };
  enum class After : std::uint8_t { Close, KeepAlive };
  struct Connection {
    FileDescriptor socket;
    std::string remote;
    std::optional<PeerCredentials> peer;
    std::string in;
    std::string out;
    std::size_t sent = 0;
    Phase phase = Phase::Head;
    After after = After::Close;
    RequestHead head;
    std::size_t head_bytes = 0;  // of `in`, with the empty line
    EventLoop::TimerId deadline = EventLoop::TimerId::None;
    std::shared_ptr<HttpStream::Channel> channel;  // of a stream
  };
  struct Job {
    Id id = 0;
    const HttpRoute* route = nullptr;
    HttpRequest request;
  };

  void accept_all();
  void on_ready(Id id, Ready ready);
  void read(Id id, Connection& connection);
  void advance(Id id, Connection& connection);
  bool take_head(Id id, Connection& connection);
  void dispatch(Id id, Connection& connection);
  void respond(Id id, Connection& connection, const HttpResponse& response);
  void refuse(Id id, Connection& connection, int status, std::string_view reason);
  void write(Id id, Connection& connection);
  void begin_stream(Id id, Connection& connection, const HttpResponse& response);
  void stream(Id id, const std::string& data);
  void end_stream(Id id);
  void detach_stream(Connection& connection);
  void set_heartbeat(Id id, Connection& connection);
  void heartbeat(Id id);
  void drain(Id id, Connection& connection);
  void next_request(Id id, Connection& connection);
  void set_deadline(Id id, Connection& connection, std::chrono::milliseconds time);
  void close(Id id);
  void begin_stop();
  const HttpRoute* route_of(const std::string& method, const std::string& path, std::string& allowed) const;
  void work(const std::stop_token& stop);

  std::unique_ptr<EventLoop> events_;
  FileDescriptor listener_;
  const std::vector<HttpRoute> routes_;
  const HttpServerLimits limits_;
  std::unordered_map<Id, Connection> connections_;
  Id next_id_ = 1;
  std::size_t streams_ = 0;
  bool stopping_ = false;  // loop's thread only

  std::mutex mutex_;
  std::condition_variable_any job_waiting_;
  std::condition_variable drained_changed_;
  std::deque<Job> jobs_;  // guarded by mutex_
  bool drained_ = false;  // guarded by mutex_
  std::atomic<bool> stopped_ = false;
  std::vector<std::jthread> workers_;
  std::jthread thread_;
};

/// Ties a stream's writers to its connection. The loop is nullptr once that is gone.
struct HttpStream::Channel {
  std::mutex mutex;
  HttpServer::Loop* loop = nullptr;  // guarded by mutex
  std::uint64_t id = 0;
};

}  // namespace nimbus::base
