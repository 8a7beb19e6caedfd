#include <doctest/doctest.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <optional>

#include "base/http/server.hpp"
#include "raw_client.hpp"

using namespace nimbus;
using namespace nimbus::base;
using namespace nimbus::base::test;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view kStream = "GET /events HTTP/1.1\r\nHost: x\r\n\r\n";

/// A server with one stream route; the last stream that was opened.
struct Streams {
  std::mutex mutex;
  std::condition_variable opened;
  std::optional<HttpStream> last;

  std::vector<HttpRoute> routes() {
    return {{"GET", "/events",
             [this](const HttpRequest&) {
               return HttpResponse{
                   .content_type = "text/event-stream", .body = "retry: 3000\n\n", .stream = [this](HttpStream s) {
                     const std::lock_guard lock(mutex);
                     last = std::move(s);
                     opened.notify_all();
                   }};
             }},
            {"GET", "/who", [](const HttpRequest& r) {
               return HttpResponse{.body = r.peer ? std::to_string(r.peer->user) + " " + std::to_string(r.peer->process)
                                                  : std::string("nobody")};
             }}};
  }
  HttpStream wait() {
    std::unique_lock lock(mutex);
    REQUIRE(opened.wait_for(lock, 10s, [&] { return last.has_value(); }));
    return *std::exchange(last, std::nullopt);
  }
};

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// Sends until the stream is known to be gone.
bool ends(const HttpStream& stream, const std::string& data) {
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (std::chrono::steady_clock::now() < deadline) {
    if (!stream.send(data)) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("http stream: arrives piece by piece without a length and ends when told") {
  Streams streams;
  const auto server = HttpServer::start({.address = "127.0.0.1:0"}, streams.routes());
  REQUIRE(server.has_value());
  RawClient client((*server)->address());
  client.send(kStream);
  const auto stream = streams.wait();
  const auto head = client.read_until("retry: 3000\n\n");
  CHECK(contains(head, "Content-Type: text/event-stream\r\n"));
  CHECK(contains(head, "Connection: close\r\n"));
  CHECK_FALSE(contains(head, "Content-Length"));
  CHECK(stream.send("data: 1\n\n"));
  CHECK(client.read_until("data: 1\n\n") == "data: 1\n\n");
  CHECK(stream.send("data: 2\n\n"));
  stream.end();
  CHECK(client.read_all() == "data: 2\n\n");
  CHECK(client.ended());
  CHECK(ends(stream, "x"));
}

TEST_CASE("http stream: HEAD gets no stream") {
  Streams streams;
  const auto server = HttpServer::start({.address = "127.0.0.1:0"}, streams.routes());
  const auto answer = ask((*server)->address(), "HEAD /events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK(answer.starts_with("HTTP/1.1 200"));
  CHECK(answer.ends_with("\r\n\r\n"));
  CHECK_FALSE(streams.last.has_value());
}

TEST_CASE("http stream: streams hold no worker, and more than allowed get 503 with a time to try again") {
  Streams streams;
  const auto server = HttpServer::start({.address = "127.0.0.1:0"}, streams.routes(), {.workers = 1, .streams = 3});
  std::vector<std::unique_ptr<RawClient>> clients;
  std::vector<HttpStream> open;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<RawClient>((*server)->address()));
    clients.back()->send(kStream);
    open.push_back(streams.wait());
  }
  CHECK(contains(ask((*server)->address(), "GET /who HTTP/1.0\r\n\r\n"), "nobody"));
  const auto refused = ask((*server)->address(), kStream);
  CHECK(refused.starts_with("HTTP/1.1 503"));
  CHECK(contains(refused, "Retry-After: "));
  CHECK(contains(refused, "application/problem+json"));
  clients.pop_back();  // hangs up: its place is free again
  CHECK(ends(open.back(), ""));
  RawClient next((*server)->address());
  next.send(kStream);
  CHECK(contains(next.read_until("retry"), "200 OK"));
}

TEST_CASE("http stream: a client that does not read is closed, not buffered without end") {
  Streams streams;
  const auto server = HttpServer::start({.address = "127.0.0.1:0"}, streams.routes(), {.stream_bytes = 64 * 1024});
  RawClient client((*server)->address());
  client.send(kStream);
  const auto stream = streams.wait();
  CHECK(ends(stream, std::string(16 * 1024, 'x')));
}

TEST_CASE("http stream: a heartbeat keeps it alive") {
  Streams streams;
  const auto server = HttpServer::start({.address = "127.0.0.1:0"}, streams.routes(), {.heartbeat = 20ms});
  RawClient client((*server)->address());
  client.send(kStream);
  CHECK(contains(client.read_until(":\n\n:\n\n"), ":\n\n:\n\n"));
}

TEST_CASE("http stream: stopping ends it, and writers notice") {
  Streams streams;
  auto server = HttpServer::start({.address = "127.0.0.1:0"}, streams.routes());
  RawClient client((*server)->address());
  client.send(kStream);
  const auto stream = streams.wait();
  (*server)->stop();
  CHECK_FALSE(stream.send("x"));
  stream.end();
  client.read_all();
  CHECK(client.ended());
  server->reset();
  CHECK_FALSE(stream.send("x"));
}

TEST_CASE("http server: knows who is behind a UNIX socket, and claims nothing about TCP") {
  char folder[] = "/tmp/nimbus-http-XXXXXX";
  REQUIRE(::mkdtemp(folder) != nullptr);
  const std::string path = std::string(folder) + "/api.sock";
  Streams streams;
  {
    const auto server = HttpServer::start({.address = "unix:" + path, .unix_mode = 0600}, streams.routes());
    REQUIRE(server.has_value());
    const auto mine = std::to_string(::getuid()) + " " + std::to_string(::getpid());
    CHECK(ask("unix:" + path, "GET /who HTTP/1.0\r\n\r\n").ends_with(mine));
  }
  ::unlink(path.c_str());
  ::rmdir(folder);
  const auto tcp = HttpServer::start({.address = "127.0.0.1:0"}, streams.routes());
  CHECK(ask((*tcp)->address(), "GET /who HTTP/1.0\r\n\r\n").ends_with("nobody"));
}

TEST_CASE("http server: its own refusals are RFC 9457 problems") {
  Streams streams;
  const auto server = HttpServer::start({.address = "127.0.0.1:0"}, streams.routes());
  const auto answer = ask((*server)->address(), "GET /none HTTP/1.0\r\n\r\n");
  CHECK(contains(answer, "Content-Type: application/problem+json\r\n"));
  CHECK(contains(answer, R"({"type":"about:blank","title":"Not Found","status":404,"detail":"no such path"})"));
}
