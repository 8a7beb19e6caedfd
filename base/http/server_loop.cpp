#include "base/http/server_loop.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/log/log.hpp"

namespace nimbus::base {
namespace {

/// A value that cannot start a new header field.
std::string safe_value(std::string_view text) {
  std::string out(text);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return out;
}

std::string serialise(const HttpResponse& response, bool keep_alive, bool with_body) {
  std::string out = fmt::format("HTTP/1.1 {} {}\r\n", response.status, status_phrase(response.status));
  if (!response.body.empty() || response.stream)
    out += fmt::format("Content-Type: {}\r\n", safe_value(response.content_type));
  if (response.status != 204 && response.status != 304 && !response.stream)
    out += fmt::format("Content-Length: {}\r\n", response.body.size());
  for (const auto& [name, value] : response.headers)
    out += fmt::format("{}: {}\r\n", safe_value(name), safe_value(value));
  out += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  if (with_body && response.status != 204 && response.status != 304) out += response.body;
  return out;
}

/// What the server says by itself; `detail` is from this program's own source.
HttpResponse problem(int status, std::string_view detail) {
  return {.status = status,
          .content_type = "application/problem+json",
          .body = fmt::format("{{\"type\":\"about:blank\",\"title\":\"{}\",\"status\":{},\"detail\":\"{}\"}}\n",
                              status_phrase(status), status, detail)};
}

/// The client learns nothing of the exception; the log does.
HttpResponse failed(const HttpRequest& request, std::string_view why) {
  log(Level::Error, "http-handler-failed", why, {{"method", request.method}, {"path", request.path}});
  return problem(500, "internal error");
}

bool matches(const HttpRoute& route, const std::string& path) {
  if (path == route.path) return true;
  if (route.match != PathMatch::Prefix || !path.starts_with(route.path)) return false;
  return route.path.ends_with('/') || path[route.path.size()] == '/';
}

}  // namespace

HttpServer::Loop::Loop(std::unique_ptr<EventLoop> events, FileDescriptor listener, std::vector<HttpRoute> routes,
                       const HttpServerLimits& limits)
    : events_(std::move(events)), listener_(std::move(listener)), routes_(std::move(routes)), limits_(limits) {}

HttpServer::Loop::~Loop() { stop(); }

Result<> HttpServer::Loop::start() {
  if (auto watched = events_->watch(listener_.get(), Interest::Read, [this](Ready) { accept_all(); }); !watched)
    return watched;
  for (std::size_t i = 0; i < limits_.workers; ++i)
    workers_.emplace_back([this](const std::stop_token& stop) { work(stop); });
  thread_ = std::jthread([this](const std::stop_token& stop) { events_->run(stop); });
  return {};
}

void HttpServer::Loop::stop() {
  if (!thread_.joinable() || stopped_.exchange(true)) return;
  events_->post([this] { begin_stop(); });
  {
    std::unique_lock lock(mutex_);
    drained_changed_.wait_for(lock, limits_.stop_time, [this] { return drained_; });
  }
  for (auto& worker : workers_) worker.request_stop();
  for (auto& worker : workers_) worker.join();
  thread_.request_stop();
  thread_.join();
}

void HttpServer::Loop::begin_stop() {
  stopping_ = true;
  events_->unwatch(listener_.get());
  listener_.reset();
  std::vector<Id> idle;
  for (const auto& [id, connection] : connections_) {
    if (connection.phase != Phase::Handling && connection.phase != Phase::Writing) idle.push_back(id);
  }
  for (const Id id : idle) close(id);
  if (connections_.empty()) {
    const std::lock_guard lock(mutex_);
    drained_ = true;
    drained_changed_.notify_all();
  }
}

void HttpServer::Loop::accept_all() {
  while (true) {
    auto accepted = accept_connection(listener_);
    if (!accepted) {
      // Out of descriptors, most likely: the connection stays in the backlog, and
      // the level-triggered loop would spin on it.
      events_->unwatch(listener_.get());
      events_->start_timer(std::chrono::milliseconds(100), [this] {
        if (!stopping_) (void)events_->watch(listener_.get(), Interest::Read, [this](Ready) { accept_all(); });
      });
      return;
    }
    if (!*accepted) return;
    if (connections_.size() >= limits_.connections) continue;  // closed by going out of scope
    const Id id = next_id_++;
    Connection connection{.socket = std::move((*accepted)->socket)};
    const SocketAddress& peer = (*accepted)->peer;
    if (peer.family() != AF_UNIX) {
      connection.remote = peer.text();
      (void)set_no_delay(connection.socket);
    } else if (auto credentials = peer_credentials(connection.socket)) {
      connection.peer = std::move(*credentials);
    }
    const int fd = connection.socket.get();
    auto& kept = connections_.emplace(id, std::move(connection)).first->second;
    if (!events_->watch(fd, Interest::Read, [this, id](Ready ready) { on_ready(id, ready); })) {
      connections_.erase(id);
      continue;
    }
    set_deadline(id, kept, limits_.head_time);
  }
}

void HttpServer::Loop::set_deadline(Id id, Connection& connection, std::chrono::milliseconds time) {
  events_->cancel_timer(connection.deadline);
  connection.deadline = events_->start_timer(time, [this, id] { close(id); });
}

void HttpServer::Loop::close(Id id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  events_->cancel_timer(found->second.deadline);
  events_->unwatch(found->second.socket.get());
  detach_stream(found->second);
  connections_.erase(found);
  if (stopping_ && connections_.empty()) {
    const std::lock_guard lock(mutex_);
    drained_ = true;
    drained_changed_.notify_all();
  }
}

void HttpServer::Loop::on_ready(Id id, Ready ready) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  Connection& connection = found->second;
  switch (connection.phase) {
    case Phase::Idle:
    case Phase::Head:
    case Phase::Body:
    case Phase::Draining:
      read(id, connection);
      break;
    case Phase::Handling:
      if (ready.failed) close(id);  // the answer will find nobody
      break;
    case Phase::Writing:
      write(id, connection);
      break;
    case Phase::Streaming:
      if (ready.failed || ready.readable) read(id, connection);
      // The read may have found the end.
      if (ready.writable && connections_.contains(id)) write(id, connection);
      break;
  }
}

void HttpServer::Loop::read(Id id, Connection& connection) {
  std::array<std::uint8_t, 16 * 1024> room{};
  const auto got = receive_some(connection.socket, room);
  if (!got || (*got && **got == 0)) return close(id);
  if (!*got || connection.phase == Phase::Draining || connection.phase == Phase::Streaming) return;
  if (connection.phase == Phase::Idle) {
    connection.phase = Phase::Head;
    set_deadline(id, connection, limits_.head_time);
  }
  connection.in.append(reinterpret_cast<const char*>(room.data()), **got);
  advance(id, connection);
}

void HttpServer::Loop::advance(Id id, Connection& connection) {
  if (connection.phase == Phase::Head && !take_head(id, connection)) return;
  if (connection.in.size() - connection.head_bytes >= connection.head.content_length) dispatch(id, connection);
}

/// True if the head is complete and the body is wanted.
bool HttpServer::Loop::take_head(Id id, Connection& connection) {
  while (connection.in.starts_with("\r\n")) connection.in.erase(0, 2);  // RFC 9112, 2.2
  const auto end = connection.in.find("\r\n\r\n");
  if (end == std::string::npos ? connection.in.size() > limits_.head_bytes : end > limits_.head_bytes) {
    refuse(id, connection, 431, "request head too large");
    return false;
  }
  if (end == std::string::npos) return false;
  auto head = parse_request_head(std::string_view(connection.in).substr(0, end));
  if (!head) {
    refuse(id, connection, head.error().status, head.error().reason);
    return false;
  }
  connection.head = std::move(*head);
  connection.head_bytes = end + 4;
  connection.after = connection.head.keep_alive && !stopping_ ? After::KeepAlive : After::Close;
  if (connection.head.content_length > limits_.body_bytes) {
    refuse(id, connection, 413, "body too large");
    return false;
  }
  std::string allowed;
  if (route_of(connection.head.method, connection.head.path, allowed) == nullptr) {
    connection.after = connection.head.content_length == 0 ? connection.after : After::Close;
    HttpResponse response = allowed.empty() ? problem(404, "no such path") : problem(405, "method not allowed here");
    if (!allowed.empty()) response.headers.push_back({"Allow", allowed});
    respond(id, connection, response);
    return false;
  }
  connection.phase = Phase::Body;
  set_deadline(id, connection, limits_.body_time);
  return true;
}

const HttpRoute* HttpServer::Loop::route_of(const std::string& method, const std::string& path,
                                            std::string& allowed) const {
  const HttpRoute* best = nullptr;
  for (const auto& route : routes_) {
    if (!matches(route, path)) continue;
    const bool wanted = route.method == method || (method == "HEAD" && route.method == "GET");
    if (!wanted) {
      allowed += (allowed.empty() ? "" : ", ") + route.method;
    } else if (best == nullptr || route.path.size() > best->path.size() ||
               (route.path.size() == best->path.size() && route.match == PathMatch::Exact)) {
      best = &route;
    }
  }
  return best;
}

void HttpServer::Loop::dispatch(Id id, Connection& connection) {
  std::string allowed;
  RequestHead& head = connection.head;
  Job job{.id = id, .route = route_of(head.method, head.path, allowed)};
  job.request.method = head.method;
  job.request.path = std::move(head.path);
  job.request.parameters = std::move(head.parameters);
  job.request.headers = std::move(head.headers);
  job.request.body = connection.in.substr(connection.head_bytes, head.content_length);
  job.request.remote = connection.remote;
  job.request.peer = connection.peer;
  connection.in.erase(0, connection.head_bytes + head.content_length);
  connection.phase = Phase::Handling;
  events_->cancel_timer(connection.deadline);
  (void)events_->modify(connection.socket.get(), Interest::None);
  {
    const std::lock_guard lock(mutex_);
    if (jobs_.size() < limits_.waiting) {
      jobs_.push_back(std::move(job));
      job_waiting_.notify_one();
      return;
    }
  }
  refuse(id, connection, 503, "too many requests under way");
}

void HttpServer::Loop::work(const std::stop_token& stop) {
  while (true) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      if (!job_waiting_.wait(lock, stop, [this] { return !jobs_.empty(); })) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    HttpResponse response;
    try {
      response = job.route->handler(job.request);
    } catch (const std::exception& error) {
      response = failed(job.request, error.what());
    } catch (...) {
      response = failed(job.request, "unknown exception");
    }
    events_->post([this, id = job.id, response = std::move(response)] {
      if (const auto found = connections_.find(id); found != connections_.end()) respond(id, found->second, response);
    });
  }
}

void HttpServer::Loop::refuse(Id id, Connection& connection, int status, std::string_view reason) {
  connection.after = After::Close;
  HttpResponse response = problem(status, reason);
  if (status == 503) response.headers.push_back({"Retry-After", "1"});
  respond(id, connection, response);
}

void HttpServer::Loop::respond(Id id, Connection& connection, const HttpResponse& response) {
  if (stopping_) connection.after = After::Close;
  const bool streams = response.stream && connection.head.method != "HEAD";
  if (streams && (stopping_ || streams_ >= limits_.streams)) {
    return refuse(id, connection, 503, "too many streams are open");
  }
  if (streams) connection.after = After::Close;
  connection.out = serialise(response, connection.after == After::KeepAlive, connection.head.method != "HEAD");
  connection.sent = 0;
  if (streams) return begin_stream(id, connection, response);
  connection.phase = Phase::Writing;
  set_deadline(id, connection, limits_.write_time);
  write(id, connection);
}

void HttpServer::Loop::write(Id id, Connection& connection) {
  while (connection.sent < connection.out.size()) {
    const auto rest = std::string_view(connection.out).substr(connection.sent);
    const auto done = send_some(connection.socket, {reinterpret_cast<const std::uint8_t*>(rest.data()), rest.size()});
    if (!done) return close(id);
    if (!*done) {
      const bool streaming = connection.phase == Phase::Streaming;
      (void)events_->modify(connection.socket.get(), streaming ? Interest::ReadWrite : Interest::Write);
      return;
    }
    connection.sent += **done;
  }
  if (connection.phase == Phase::Streaming) {
    connection.out.clear();
    connection.sent = 0;
    (void)events_->modify(connection.socket.get(), Interest::Read);
    return;
  }
  if (connection.after == After::Close) return drain(id, connection);
  next_request(id, connection);
}

void HttpServer::Loop::drain(Id id, Connection& connection) {
  if (stopping_ || ::shutdown(connection.socket.get(), SHUT_WR) != 0) return close(id);
  connection.phase = Phase::Draining;
  connection.in.clear();
  (void)events_->modify(connection.socket.get(), Interest::Read);
  set_deadline(id, connection, limits_.keep_alive);
}

void HttpServer::Loop::next_request(Id id, Connection& connection) {
  connection.out.clear();
  connection.head = {};
  connection.head_bytes = 0;
  connection.phase = connection.in.empty() ? Phase::Idle : Phase::Head;
  (void)events_->modify(connection.socket.get(), Interest::Read);
  set_deadline(id, connection, connection.in.empty() ? limits_.keep_alive : limits_.head_time);
  if (connection.in.empty()) return;
  // The client sent its next request before our answer. Posted, not called: a long
  // row of such requests must not become a deep stack.
  events_->post([this, id] {
    const auto found = connections_.find(id);
    if (found != connections_.end() && found->second.phase == Phase::Head) advance(id, found->second);
  });
}

}  // namespace nimbus::base
