#include "base/http/local_client.hpp"

#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/http/server.hpp"
#include "base/net/socket.hpp"
#include "raw_client.hpp"

using namespace nimbus;
using namespace nimbus::base;
using namespace std::chrono_literals;

namespace {

Call soon(std::chrono::milliseconds time = 5s) { return {std::chrono::steady_clock::now() + time, {}}; }

/// Says one text to whoever connects, whatever is asked, and ends.
struct Babbler {
  explicit Babbler(std::string text) {
    listener = std::move(*listen_tcp(*SocketAddress::numeric(HostPort{"127.0.0.1", 0})));
    address = local_address(listener)->text();
    thread = std::jthread([this, said = std::move(text)](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        pollfd entry{listener.get(), POLLIN, 0};
        if (::poll(&entry, 1, 20) <= 0) continue;
        auto accepted = accept_connection(listener);
        if (!accepted || !*accepted) continue;
        (void)send_some((*accepted)->socket, {reinterpret_cast<const std::uint8_t*>(said.data()), said.size()});
        return;
      }
    });
  }
  FileDescriptor listener;
  std::string address;
  std::jthread thread;
};

}  // namespace

TEST_CASE("local client: asks and gets, on loopback") {
  const auto server = HttpServer::start(
      {.address = "127.0.0.1:0"},
      {{"POST", "/echo", [](const HttpRequest& r) { return HttpResponse{.status = 202, .body = r.body}; }}});
  const auto client = LocalClient::make((*server)->address());
  REQUIRE(client.has_value());
  const auto answer = client->send({.method = "POST", .target = "/echo", .body = std::string(500'000, 'x')}, soon());
  REQUIRE(answer.has_value());
  CHECK(answer->status == 202);
  CHECK(answer->body.size() == 500'000);
  CHECK(client->send({.target = "/none"}, soon())->status == 404);
}

TEST_CASE("local client: nothing that leaves this machine, nothing that begins another line") {
  for (const char* address :
       {"192.0.2.1:80", "[2001:db8::1]:80", "0.0.0.0:80", "example.org:80", "unix:relative", "unix:", ""}) {
    CAPTURE(address);
    CHECK_FALSE(LocalClient::make(address).has_value());
  }
  const auto client = LocalClient::make("127.0.0.1:1");
  CHECK(client->send({.target = "/a\r\nX: y"}, soon()).error().code == Code::Invalid);
  CHECK(client->send({.target = "/a b"}, soon()).error().code == Code::Invalid);
  CHECK(client->send({.method = "G ET"}, soon()).error().code == Code::Invalid);
  CHECK(client->send({.headers = {{"A", "b\r\nC: d"}}}, soon()).error().code == Code::Invalid);
}

TEST_CASE("local client: nobody there") {
  CHECK(LocalClient::make("unix:/nonexistent/socket")->send({}, soon()).error().code == Code::Unreachable);
}

TEST_CASE("local client: answers that make no sense are errors") {
  struct Case {
    const char* text;
    Code code;
  };
  for (const auto& [text, code] :
       {Case{"", Code::Unreachable}, Case{"nonsense\r\n\r\n", Code::Corrupt},
        Case{"HTTP/1.1 2x0 OK\r\n\r\n", Code::Corrupt}, Case{"HTTP/1.1 200 OK\r\nA\r\n\r\n", Code::Corrupt},
        Case{"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", Code::Corrupt},
        Case{"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", Code::Corrupt},
        Case{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", Code::Unreachable}}) {
    CAPTURE(text);
    Babbler babbler{text};
    const auto answer = LocalClient::make(babbler.address)->send({}, soon());
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().code == code);
  }
}

TEST_CASE("local client: a stream comes in pieces, ends when told, and the deadline is of the head only") {
  std::mutex mutex;
  std::condition_variable opened;
  std::optional<HttpStream> stream;
  const auto server =
      HttpServer::start({.address = "127.0.0.1:0"}, {{"GET", "/events", [&](const HttpRequest&) {
                                                        return HttpResponse{.body = "a", .stream = [&](HttpStream s) {
                                                                              const std::lock_guard lock(mutex);
                                                                              stream = std::move(s);
                                                                              opened.notify_all();
                                                                            }};
                                                      }}});
  const auto client = LocalClient::make((*server)->address());
  std::string got;
  std::jthread sender([&] {
    std::unique_lock lock(mutex);
    opened.wait_for(lock, 10s, [&] { return stream.has_value(); });
    stream->send("b");
    stream->send("c");
    stream->end();
  });
  const auto ended = client->stream({.target = "/events"}, soon(), [&](std::string_view piece) {
    got += piece;
    return true;
  });
  REQUIRE(ended.has_value());
  CHECK(got == "abc");
  CHECK(client->stream({.target = "/none"}, soon(), [](std::string_view) { return true; })->status == 404);
}
