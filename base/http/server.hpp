// HttpServer: a small HTTP/1.1 server for the API, webhooks, metrics and health.
//
//   auto server = HttpServer::start({.address = "unix:/run/nimbus/api.sock"},
//                                   {{"GET", "/healthz", [](const HttpRequest&) { return HttpResponse{.body = "ok\n"};
//                                   }}});
//
// It is meant to stand behind a reverse proxy that ends TLS: it listens on a UNIX
// socket or on loopback, and anywhere else only if told so. One thread reads and
// writes all connections, so that slow and idle ones hold no worker; a request
// reaches a worker when it is complete, within limits and known to a route.
//
// Refused before any handler sees it: what parse_request_head() refuses, unknown
// paths (404) and methods (405), bodies (413) and heads (431) above the limits.
// A handler that throws is answered with 500 and nothing of the exception.
//
// What the server refuses by itself is told as RFC 9457 says (application/problem+json).
//
// A handler may answer with a stream: a body without an end, for server-sent events.
// It holds no worker; whoever has the HttpStream writes to it from any thread.
//
// Header values are what the client sent, not decoded: never copy them to output
// unescaped. Thread rule: handlers run on several threads at the same time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/http/message.hpp"
#include "base/net/peer_credentials.hpp"
#include "core/result.hpp"

namespace nimbus::base {

struct HttpRequest {
  std::string method;
  std::string path;  // decoded
  std::vector<std::pair<std::string, std::string>> parameters;
  HttpHeaders headers;
  std::string body;
  std::string remote;                   // "127.0.0.1:4711"; empty for a UNIX socket
  std::optional<PeerCredentials> peer;  // who connected, of a UNIX socket

  std::optional<std::string_view> header(std::string_view name) const noexcept { return find_header(headers, name); }
  /// First parameter of the query with that name.
  std::optional<std::string_view> parameter(std::string_view name) const noexcept;
};

/// The writing end of a stream. A value: copies write to the same client.
/// Thread rule: safe from any thread.
class HttpStream {
 public:
  struct Channel;
  explicit HttpStream(std::shared_ptr<Channel> channel) : channel_(std::move(channel)) {}
  /// False once the client has gone, fell too far behind, or the server stops: then
  /// nothing that is sent arrives any more.
  bool send(std::string data) const;
  /// After what was sent before.
  void end() const;

 private:
  std::shared_ptr<Channel> channel_;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body = {};
  HttpHeaders headers = {};  // others than Content-Type, Content-Length and Connection
  /// Not empty: the body goes on after `body`, with what is sent to the stream. Called
  /// once, on the server's own thread: it must not wait. Not called for HEAD.
  std::function<void(HttpStream)> stream = {};
};

using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

enum class PathMatch : std::uint8_t {
  Exact,
  Prefix,  // the path or anything below it: "/api/machines" matches "/api/machines/b1/m1"
};

/// A GET route answers HEAD too. Among several that match, exact wins over prefix
/// and a longer prefix over a shorter one.
struct HttpRoute {
  std::string method;
  std::string path;
  HttpHandler handler;
  PathMatch match = PathMatch::Exact;
};

enum class Exposure : std::uint8_t {
  Local,     // UNIX socket or loopback; any other address is refused
  Anywhere,  // the operator said that a plain server may face a network
};

struct HttpListen {
  std::string address;        // "unix:/path", "127.0.0.1:8080", "[::1]:0"; port 0: any free one
  unsigned unix_mode = 0660;  // permission bits of the socket file
  Exposure exposure = Exposure::Local;
};

/// Whether a server would take this address; opens nothing. Errors: Invalid.
Result<> check_listen(const HttpListen& listen);

struct HttpServerLimits {
  std::size_t workers = 16;
  std::size_t connections = 512;  // more are closed at once
  std::size_t head_bytes = 16 * 1024;
  std::size_t body_bytes = std::size_t{1} << 20U;
  std::size_t waiting = 256;                   // complete requests without a worker; more get 503
  std::chrono::milliseconds head_time{5'000};  // from the first wait to a complete head
  std::chrono::milliseconds body_time{10'000};
  std::chrono::milliseconds write_time{10'000};
  std::chrono::milliseconds keep_alive{1'000};
  std::chrono::milliseconds stop_time{5'000};   // for what is under way when it stops
  std::size_t streams = 32;                     // open at a time; more get 503
  std::size_t stream_bytes = 256 * 1024;        // that a stream's client may be behind
  std::chrono::milliseconds heartbeat{15'000};  // a comment of server-sent events, so that a dead client is noticed
};

class HttpServer {
 public:
  /// Errors: Invalid (address that is neither UNIX nor numeric; not local and not
  /// allowed; a route without a method, path or handler), Conflict (somebody listens
  /// there), Internal.
  static Result<std::unique_ptr<HttpServer>> start(const HttpListen& listen, std::vector<HttpRoute> routes,
                                                   const HttpServerLimits& limits = {});
  /// Stops.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Accepts nothing more, lets requests under way finish for at most `stop_time`,
  /// closes all. Handlers have returned when this returns. May be called twice.
  void stop();

  /// Where it listens, with the real port: "127.0.0.1:40123", "unix:/run/x.sock".
  const std::string& address() const noexcept { return address_; }
  /// 0 for a UNIX socket.
  std::uint16_t port() const noexcept { return port_; }

 private:
  friend class HttpStream;
  class Loop;
  HttpServer(std::unique_ptr<Loop> loop, std::string address, std::uint16_t port);
  std::unique_ptr<Loop> loop_;
  std::string address_;
  std::uint16_t port_;
};

}  // namespace nimbus::base
