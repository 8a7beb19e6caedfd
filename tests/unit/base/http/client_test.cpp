#include "base/http/client.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <future>
#include <iterator>
#include <latch>
#include <thread>
#include <vector>

#include "support/tls_server.hpp"

using namespace nimbus;
using namespace nimbus::base;
using namespace std::chrono_literals;
using nimbus::test::TestCertificate;
using nimbus::test::TlsServer;

namespace {

MonoTime in(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }

std::unique_ptr<HttpClient> client_of(const TlsServer& server, ConnectionUse use = ConnectionUse::Keep) {
  auto client = make_http_client(
      {.origin = server.origin, .pins = {*SpkiPin::of_certificate(server.certificate.pem())}, .use = use});
  REQUIRE(client.has_value());
  return std::move(*client);
}

/// Answers every request on every connection with its number and the request's line.
void echo(TlsServer::Peer& peer) {
  while (true) {
    const auto request = peer.read_request();
    if (request.empty()) return;
    peer.answer(200, std::to_string(peer.number()) + " " + request);
  }
}

}  // namespace

TEST_CASE("http client: a kept connection, headers and bodies both ways") {
  TlsServer server(echo);
  const auto client = client_of(server);
  const auto first = client->send({.target = "/a?b=c%20d", .headers = {{"X-Auth-Token", "t"}}}, {in(5s)});
  REQUIRE_MESSAGE(first.has_value(), (first ? "" : first.error().error.message));
  CHECK(first->status == 200);
  CHECK(first->body.starts_with("1 GET /a?b=c%20d HTTP/1.1\r\n"));
  CHECK(first->body.find("X-Auth-Token: t\r\n") != std::string::npos);
  CHECK(first->body.find("Accept-Encoding: identity\r\n") != std::string::npos);
  CHECK(first->connection == 1);
  CHECK(first->kept);
  const auto second = client->send({.method = "POST",
                                    .target = "/p",
                                    .headers = {{"Content-Type", "application/json"}},
                                    .body = "{}",
                                    .on = OnConnection::Present},
                                   {in(5s)});
  REQUIRE(second.has_value());
  CHECK(second->body.starts_with("1 POST /p"));
  CHECK(second->body.ends_with("Content-Length: 2\r\n\r\n{}"));
  CHECK(second->connection == 1);
  CHECK(server.connections() == 1);
  const auto empty = client->send({.method = "DELETE", .target = "/d"}, {in(5s)});
  REQUIRE(empty.has_value());
  CHECK(empty->body.starts_with("1 DELETE /d"));
}

TEST_CASE("http client: connections closed after each answer where asked for") {
  TlsServer server(echo);
  const auto client = client_of(server, ConnectionUse::CloseAfterEach);
  CHECK(client->send({}, {in(5s)})->body.find("Connection: close\r\n") != std::string::npos);
  const auto second = client->send({}, {in(5s)});
  CHECK(second->connection == 2);
  CHECK(!second->kept);
}

TEST_CASE("http client: the wrong key is refused and nothing is sent") {
  std::atomic<int> requests = 0;
  TlsServer server([&](TlsServer::Peer& peer) {
    if (!peer.read_request().empty()) ++requests;
  });
  const TestCertificate other;
  const auto client = make_http_client({.origin = server.origin, .pins = {*SpkiPin::of_certificate(other.pem())}});
  const auto answer = (*client)->send({.headers = {{"Authorization", "Basic c2VjcmV0"}}}, {in(5s)});
  REQUIRE(!answer);
  CHECK(answer.error().error.code == Code::Untrusted);
  CHECK(!answer.error().sent);
  CHECK(requests == 0);
}

TEST_CASE("http client: a CA instead of a pin") {
  TlsServer server(echo);
  const auto trusted = make_http_client({.origin = server.origin, .ca_pem = server.certificate.pem()});
  const auto answer = (*trusted)->send({}, {in(5s)});
  CHECK_MESSAGE(answer.has_value(), (answer ? "" : answer.error().error.message));
  const TestCertificate other;
  const auto untrusting = make_http_client({.origin = server.origin, .ca_pem = other.pem()});
  CHECK((*untrusting)->send({}, {in(5s)}).error().error.code == Code::Untrusted);
  // Both given: both must hold.
  const auto both = make_http_client(
      {.origin = server.origin, .pins = {*SpkiPin::of_certificate(other.pem())}, .ca_pem = server.certificate.pem()});
  CHECK((*both)->send({}, {in(5s)}).error().error.code == Code::Untrusted);
  const auto broken = make_http_client({.origin = server.origin, .ca_pem = "no certificate"});
  CHECK(!(*broken)->send({}, {in(5s)}));
  CHECK(server.connections() <= 3);
}

TEST_CASE("http client: never without trust, only https origins") {
  CHECK(make_http_client({.origin = "https://127.0.0.1"}).error().code == Code::Invalid);
  const std::vector<SpkiPin> pins = {*SpkiPin::of_certificate(TestCertificate().pem())};
  for (const char* bad : {"http://127.0.0.1", "127.0.0.1", "https://", "https://a/b", "https://user@a", "https://a b",
                          "file:///etc/passwd", "https://a?b", "https://:443", "https://[::1", "https://a:99999"})
    CHECK_MESSAGE(make_http_client({.origin = bad, .pins = pins}).error().code == Code::Invalid, bad);
  CHECK(make_http_client({.origin = "https://[::1]:8443", .pins = pins}));
}

TEST_CASE("http client: a target or header that would forge another request is not sent") {
  TlsServer server(echo);
  const auto client = client_of(server);
  CHECK(client->send({.target = "/a\r\nX: y"}, {in(5s)}).error().error.code == Code::Invalid);
  CHECK(client->send({.target = "@evil/"}, {in(5s)}).error().error.code == Code::Invalid);
  CHECK(client->send({.headers = {{"X", "a\nb"}}}, {in(5s)}).error().error.code == Code::Invalid);
  CHECK(server.connections() == 0);
}

TEST_CASE("http client: silence, a byte now and then, and endless heads end at the deadline or a limit") {
  std::promise<void> done;
  auto finished = done.get_future().share();
  TlsServer server([&](TlsServer::Peer& peer) {
    const auto request = peer.read_request();
    if (request.starts_with("GET /silent")) {
      peer.wait_for_end();
    } else if (request.starts_with("GET /slow")) {
      peer.write("HTTP/1.1 200 OK\r\nX: ");
      while (finished.wait_for(20ms) != std::future_status::ready && peer.write("a")) {
      }
    } else if (request.starts_with("GET /endless-head")) {
      peer.write("HTTP/1.1 200 OK\r\n");
      while (peer.write("X-A: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n")) {
      }
    } else if (request.starts_with("GET /endless-line")) {
      peer.write("HTTP/1.1 200 OK\r\nX-A: ");
      while (peer.write(std::string(4096, 'a'))) {
      }
    } else if (request.starts_with("GET /endless-body")) {
      peer.write("HTTP/1.1 200 OK\r\n\r\n");
      while (peer.write(std::string(4096, 'a'))) {
      }
    } else if (request.starts_with("GET /endless-chunks")) {
      peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      while (peer.write("1000\r\n" + std::string(4096, 'a') + "\r\n")) {
      }
    } else if (request.starts_with("GET /announced")) {
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n");
      peer.wait_for_end();
    } else if (request.starts_with("GET /nonsense")) {
      peer.write("this is not HTTP\r\n\r\n");
    } else if (request.starts_with("GET /short")) {
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    } else if (request.starts_with("GET /bad-chunk")) {
      peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\naaaaa\r\n");
      peer.wait_for_end();
    }
  });
  struct Case {
    const char* target;
    Code code;
  };
  for (const auto& [target, code] :
       {Case{"/silent", Code::Timeout}, Case{"/slow", Code::Timeout}, Case{"/endless-head", Code::Corrupt},
        Case{"/endless-line", Code::Corrupt}, Case{"/endless-body", Code::Corrupt},
        Case{"/endless-chunks", Code::Corrupt}, Case{"/announced", Code::Corrupt}, Case{"/nonsense", Code::Corrupt},
        Case{"/short", Code::Corrupt}, Case{"/bad-chunk", Code::Corrupt}}) {
    const auto client = client_of(server);
    const auto started = std::chrono::steady_clock::now();
    const auto answer = client->send({.target = target, .body_limit = 1 << 20}, {in(400ms)});
    REQUIRE_MESSAGE(!answer, std::string(target));
    CHECK_MESSAGE(answer.error().error.code == code, std::string(target), ": ", answer.error().error.message);
    CHECK(answer.error().sent);
    CHECK(std::chrono::steady_clock::now() - started < 4s);
    if (code == Code::Timeout) CHECK(std::chrono::steady_clock::now() - started >= 400ms);
  }
  done.set_value();
}

TEST_CASE("http client: a server that accepts and never speaks TLS is a timeout; a closed port is unreachable") {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  const std::string origin = "https://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  const std::vector<SpkiPin> pins = {*SpkiPin::of_certificate(TestCertificate().pem())};
  const auto closed = (*make_http_client({.origin = origin, .pins = pins}))->send({}, {in(5s)});
  CHECK(closed.error().error.code == Code::Unreachable);
  REQUIRE(::listen(fd, 8) == 0);
  const auto mute = (*make_http_client({.origin = origin, .pins = pins}))->send({.method = "POST"}, {in(300ms)});
  CHECK(mute.error().error.code == Code::Timeout);
  CHECK(!mute.error().sent);
  const auto impatient =
      (*make_http_client({.origin = origin, .pins = pins, .connect_time = 100ms}))->send({}, {in(5s)});
  CHECK(impatient.error().error.code == Code::Unreachable);
  ::close(fd);
}

TEST_CASE("http client: a stop request ends a call at once") {
  std::latch asked(1);
  TlsServer server([&](TlsServer::Peer& peer) {
    peer.read_request();
    asked.count_down();
    peer.wait_for_end();
  });
  const auto client = client_of(server);
  std::stop_source source;
  std::jthread stopper([&] {
    asked.wait();
    source.request_stop();
  });
  const auto started = std::chrono::steady_clock::now();
  const auto answer = client->send({}, {in(30s), source.get_token()});
  CHECK(answer.error().error.code == Code::Cancelled);
  CHECK(std::chrono::steady_clock::now() - started < 5s);
  CHECK(client->send({}, {in(30s), source.get_token()}).error().error.code == Code::Cancelled);
}

TEST_CASE("http client: answers without body and length on a kept connection do not stall") {
  TlsServer server([](TlsServer::Peer& peer) {
    while (true) {
      const auto request = peer.read_request();
      if (request.empty()) return;
      const auto status = request.substr(request.find('/') + 1, 3);
      peer.write("HTTP/1.1 " + status + " X\r\nETag: \"a%20b\"\r\n\r\n");
    }
  });
  const auto client = client_of(server);
  for (const int status : {200, 202, 204, 304, 400}) {
    const auto started = std::chrono::steady_clock::now();
    const auto answer =
        client->send({.method = status == 202 ? "POST" : "GET", .target = "/" + std::to_string(status)}, {in(10s)});
    REQUIRE_MESSAGE(answer.has_value(), status);
    CHECK(answer->status == status);
    CHECK(answer->body.empty());
    CHECK(answer->header("etag") == "\"a%20b\"");
    CHECK(std::chrono::steady_clock::now() - started < 3s);
  }
}

TEST_CASE("http client: a body that ends with the connection is read, after an interim answer too") {
  TlsServer server([](TlsServer::Peer& peer) {
    peer.read_request();
    peer.write("HTTP/1.1 102 Processing\r\nX: 1\r\n\r\nHTTP/1.1 200 OK\r\nX: 2\r\n\r\nhello ");
    peer.write("world");
  });
  const auto answer = client_of(server)->send({}, {in(5s)});
  REQUIRE(answer.has_value());
  CHECK(answer->body == "hello world");
  CHECK(answer->headers.size() == 1);
  CHECK(answer->header("x") == "2");
}

TEST_CASE("http client: redirects are answers, not orders") {
  std::atomic<int> second = 0;
  TlsServer target([&](TlsServer::Peer& peer) {
    if (!peer.read_request().empty()) ++second;
  });
  TlsServer server([&](TlsServer::Peer& peer) {
    peer.read_request();
    peer.answer(307, "", "Location: " + target.origin + "/\r\n");
  });
  const auto answer = client_of(server)->send({.headers = {{"Authorization", "Basic c2VjcmV0"}}}, {in(5s)});
  REQUIRE(answer.has_value());
  CHECK(answer->status == 307);
  CHECK(answer->header("Location") == target.origin + "/");
  CHECK(second == 0);
}

TEST_CASE("http client: a compressed answer stays as it is") {
  TlsServer server([](TlsServer::Peer& peer) {
    peer.read_request();
    peer.answer(200, "\x1f\x8b not unpacked", "Content-Encoding: gzip\r\n");
  });
  CHECK(client_of(server)->send({}, {in(5s)})->body == "\x1f\x8b not unpacked");
}

TEST_CASE("http client: a kept connection that died: GET again, POST never twice") {
  std::atomic<int> posts = 0;
  TlsServer server([&](TlsServer::Peer& peer) {
    const auto first = peer.read_request();
    if (first.starts_with("POST")) ++posts;
    peer.answer(200, "x");
    // The next request is read and dropped, as a BMC does that acts and falls over.
    if (peer.read_request().starts_with("POST")) ++posts;
  });
  const auto client = client_of(server);
  REQUIRE(client->send({}, {in(5s)}).has_value());
  const auto again = client->send({}, {in(5s)});
  REQUIRE_MESSAGE(again.has_value(), (again ? "" : again.error().error.message));
  CHECK(again->connection == 2);
  const auto post = client->send({.method = "POST"}, {in(5s)});
  REQUIRE(!post);
  CHECK(post.error().sent);
  CHECK(post.error().error.code == Code::Unreachable);
  CHECK(posts == 1);
}

TEST_CASE("http client: a write meant for the present connection is not sent on another") {
  std::atomic<int> posts = 0;
  TlsServer server([&](TlsServer::Peer& peer) {
    const auto request = peer.read_request();
    if (request.starts_with("POST")) ++posts;
    peer.answer(200, "x", "Connection: close\r\n");
  });
  const auto client = client_of(server);
  REQUIRE(client->send({}, {in(5s)}).has_value());
  const auto post = client->send({.method = "POST", .on = OnConnection::Present}, {in(5s)});
  REQUIRE(!post);
  CHECK(post.error().error.code == Code::Conflict);
  CHECK(!post.error().sent);
  CHECK(posts == 0);
  const auto any = client->send({.method = "POST"}, {in(5s)});
  CHECK(any.has_value());
  CHECK(posts == 1);
}

TEST_CASE("http client: a request whose time has passed does not leave, on a kept connection neither") {
  std::atomic<int> posts = 0;
  TlsServer server([&](TlsServer::Peer& peer) {
    while (true) {
      const auto request = peer.read_request();
      if (request.empty()) return;
      if (request.starts_with("POST")) ++posts;
      peer.answer(200, "x");
    }
  });
  const auto client = client_of(server);
  for (const bool kept : {false, true}) {
    if (kept) REQUIRE(client->send({}, {in(5s)}).has_value());
    const auto late = client->send({.method = "POST", .leave_by = std::chrono::steady_clock::now() - 1ms}, {in(5s)});
    REQUIRE(!late);
    CHECK(late.error().error.code == Code::Conflict);
    CHECK(!late.error().sent);
  }
  CHECK(client->send({.method = "POST", .leave_by = in(5s)}, {in(5s)}).has_value());
  CHECK(posts == 1);
}

TEST_CASE("http client: dropping the connection makes a new one") {
  TlsServer server(echo);
  const auto client = client_of(server);
  CHECK(client->send({}, {in(5s)})->connection == 1);
  client->drop_connection();
  CHECK(client->send({}, {in(5s)})->connection == 2);
  CHECK(client->send({}, {in(5s)})->connection == 2);
}

TEST_CASE("http client: the certificate's pin for a person to compare") {
  std::atomic<int> requests = 0;
  TlsServer server([&](TlsServer::Peer& peer) {
    if (!peer.read_request().empty()) ++requests;
  });
  const auto pin = fetch_pin(server.origin, {in(5s)});
  REQUIRE_MESSAGE(pin.has_value(), (pin ? "" : pin.error().message));
  CHECK(*pin == *SpkiPin::of_certificate(server.certificate.pem()));
  CHECK(requests == 0);
}

namespace {

std::ptrdiff_t open_descriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
}

}  // namespace

TEST_CASE("http client: a BMC costs one descriptor, that of its connection, from whichever thread it is asked") {
  TlsServer server(echo);
  const auto before = open_descriptors();
  std::vector<std::unique_ptr<HttpClient>> clients;
  const auto ask_all = [&] {
    for (auto& client : clients) CHECK(client->send({}, {in(5s)})->connection == 1);
  };
  for (int i = 0; i < 8; ++i) clients.push_back(client_of(server));
  std::thread(ask_all).join();
  // The server of this test has one for each connection, too.
  CHECK(open_descriptors() - before == 16);
  std::thread(ask_all).join();
  CHECK(open_descriptors() - before == 16);
  CHECK(server.connections() == 8);
}
