#include "base/http/server.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <future>
#include <latch>
#include <thread>

#include "raw_client.hpp"

using namespace nimbus;
using namespace nimbus::base;
using namespace nimbus::base::test;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view kGet = "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

std::vector<HttpRoute> routes() {
  return {{"GET", "/hello",
           [](const HttpRequest& r) {
             return HttpResponse{.body = "hello " + std::string(r.parameter("name").value_or("you"))};
           }},
          {"POST", "/echo", [](const HttpRequest& r) { return HttpResponse{.status = 202, .body = r.body}; }},
          {"GET", "/header",
           [](const HttpRequest& r) {
             return HttpResponse{.body = std::string(r.header("x-test").value_or("-")) + "|" +
                                         std::string(r.header("REMOTE_ADDR").value_or("-")) + "|" + r.remote};
           }},
          {"GET", "/throw", [](const HttpRequest&) -> HttpResponse { throw std::runtime_error("secret text"); }},
          {"GET", "/split",
           [](const HttpRequest&) {
             return HttpResponse{.body = "x", .headers = {{"X-A", "1\r\nX-Injected: 1"}}};
           }},
          {"GET", "/tree", [](const HttpRequest& r) { return HttpResponse{.body = r.path}; }, PathMatch::Prefix}};
}

std::unique_ptr<HttpServer> serve(HttpServerLimits limits = {}) {
  auto server = HttpServer::start({.address = "127.0.0.1:0"}, routes(), limits);
  REQUIRE_MESSAGE(server.has_value(), (server ? "" : server.error().text()));
  return std::move(*server);
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("http server: answers, query, HEAD, prefix routes") {
  const auto server = serve();
  CHECK(server->port() != 0);
  const auto hello = ask(server->address(), "GET /hello?name=a%20b+c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK(hello.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(hello.ends_with("\r\n\r\nhello a b c"));
  const auto head = ask(server->address(), "HEAD /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK(contains(head, "Content-Length: 9\r\n"));
  CHECK(head.ends_with("\r\n\r\n"));
  CHECK(ask(server->address(), "GET /tree/a/b HTTP/1.0\r\n\r\n").ends_with("/tree/a/b"));
  CHECK(ask(server->address(), "GET /treeb HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 404"));
  CHECK(ask(server->address(), "GET /none HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 404"));
  const auto wrong = ask(server->address(), "DELETE /hello HTTP/1.0\r\n\r\n");
  CHECK(wrong.starts_with("HTTP/1.1 405"));
  CHECK(contains(wrong, "Allow: GET\r\n"));
}

TEST_CASE("http server: kept connection, body in pieces, requests sent ahead") {
  const auto server = serve();
  RawClient client(server->address());
  client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Le");
  client.send("ngth: 5\r\n\r\nab");
  client.send("cde");
  CHECK(client.read_until("abcde").ends_with("\r\n\r\nabcde"));
  client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\nGET /tree/2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const auto both = client.read_all();
  CHECK(contains(both, "hello you"));
  CHECK(both.ends_with("/tree/2"));
  CHECK(client.ended());
}

TEST_CASE("http server: ambiguous or unsupported requests are refused") {
  const auto server = serve();
  struct Case {
    std::string request;
    std::string_view status;
  };
  const std::string start = "POST /echo HTTP/1.1\r\nHost: x\r\n";
  std::string many = start;
  for (int i = 0; i < 64; ++i) many += "X-A: b\r\n";
  const Case cases[] = {
      {start + "Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n", "411"},
      {start + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nabcde", "411"},
      {start + "\r\n", "411"},
      {start + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", "400"},
      {start + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nabcde", "400"},
      {start + "Content-Length: -1\r\n\r\n", "400"},
      {start + "Content-Length: +5\r\n\r\nabcde", "400"},
      {start + "Content-Length: 0x5\r\n\r\nabcde", "400"},
      {start + "Content-Length: 99999999999999999999999\r\n\r\n", "400"},
      {start + "Content-Length: 1048577\r\n\r\n", "413"},
      {start + "Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nabcde", "415"},
      {start + "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 5\r\n\r\nabcde", "415"},
      {start + "Expect: 100-continue\r\nContent-Length: 5\r\n\r\nabcde", "417"},
      {many + "Content-Length: 0\r\n\r\n", "431"},
      {"GET /hello HTTP/1.1\r\nHost: x\r\nRange: bytes=0-1,0-1\r\n\r\n", "400"},
      {"GET /hello HTTP/1.1\r\nHost: x\r\nX-A: b\x01"
       "c\r\n\r\n",
       "400"},
      {"GET /hello HTTP/1.1\r\nHost: x\r\nX-A: b\nX-B: c\r\n\r\n", "400"},
      {"GET /hello HTTP/1.1\r\nHost: x\r\nX-A: b\r\n folded\r\n\r\n", "400"},
      {"GET /hello HTTP/1.1\r\nHost: x\r\nX-A : b\r\n\r\n", "400"},
      {"GET /hello HTTP/1.1\r\n\r\n", "400"},
      {"GET /hello HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "400"},
      {"GET /hello%0d%0a HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
      {"GET /hello%0 HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
      {"GET /hello%ff HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
      {"GET http://x/hello HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
      {"GET  /hello HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
      {"GET /hello HTTP/2.0\r\nHost: x\r\n\r\n", "505"},
      {"GET /" + std::string(5000, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n", "414"},
      {"\x16\x03\x01\x02 tls\r\n\r\n", "400"},
  };
  for (const auto& [request, status] : cases) {
    const auto answer = ask(server->address(), request);
    CHECK_MESSAGE(answer.starts_with("HTTP/1.1 " + std::string(status)), request.substr(0, 200), " -> ", answer);
    CHECK(contains(answer, "Connection: close\r\n"));
  }
}

TEST_CASE("http server: an endless header line is cut off at the limit (CVE-2025-53628)") {
  const auto server = serve();
  RawClient client(server->address());
  client.send("GET /hello HTTP/1.1\r\nHost: x\r\nX-A: ");
  const std::string block(64 * 1024, 'a');
  CHECK(client.send(block));
  CHECK(client.read_all().starts_with("HTTP/1.1 431"));
}

TEST_CASE("http server: a body larger than announced is not read as the next request's answer") {
  const auto server = serve();
  RawClient client(server->address());
  client.send("GET /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 60\r\n\r\n");
  client.send("GET /throw HTTP/1.1\r\nHost: x\r\nX-Fill: 012345678901234567\r\n\r\n");
  const auto answer = client.read_all(3s);
  CHECK(contains(answer, "200 OK"));
  CHECK(!contains(answer, "500"));
}

TEST_CASE("http server: header values arrive as sent, names of the gateway interface mean nothing") {
  const auto server = serve();
  const auto answer = ask(
      server->address(),
      "GET /header HTTP/1.1\r\nHost: x\r\nX-Test: a%0d%0aX-B: c\r\nREMOTE_ADDR: 6.6.6.6\r\nConnection: close\r\n\r\n");
  CHECK(contains(answer, "a%0d%0aX-B: c|6.6.6.6|127.0.0.1:"));
}

TEST_CASE("http server: exceptions and response splitting stay inside") {
  const auto server = serve();
  const auto thrown = ask(server->address(), "GET /throw HTTP/1.0\r\n\r\n");
  CHECK(thrown.starts_with("HTTP/1.1 500"));
  CHECK(!contains(thrown, "secret"));
  CHECK(!contains(ask(server->address(), "GET /split HTTP/1.0\r\n\r\n"), "\nX-Injected"));
}

TEST_CASE("http server: idle and slow connections hold nobody up and are closed in time") {
  const auto server = serve({.workers = 2, .head_time = 300ms, .body_time = 300ms, .keep_alive = 200ms});
  std::vector<std::unique_ptr<RawClient>> idle;
  for (int i = 0; i < 100; ++i) {
    idle.push_back(std::make_unique<RawClient>(server->address()));
    if (i % 2 == 0) idle.back()->send("GET /hello HTTP/1.1\r\nX-Slow: ");
  }
  CHECK(contains(ask(server->address(), kGet), "hello you"));
  for (auto& client : idle) {
    CHECK(client->read_all(5s).empty());
    CHECK(client->ended());
  }
  RawClient body(server->address());
  body.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\na");
  CHECK(body.read_all(5s).empty());
  CHECK(body.ended());
}

TEST_CASE("http server: more connections than allowed are closed, the others served") {
  const auto server = serve({.connections = 3});
  RawClient a(server->address());
  RawClient b(server->address());
  RawClient c(server->address());
  a.send(kGet);
  CHECK(contains(a.read_until("hello you"), "hello you"));
  for (int i = 0; i < 3; ++i) (void)ask(server->address(), kGet);
  b.send(kGet);
  CHECK(contains(b.read_all(), "hello you"));
}

TEST_CASE("http server: an address is judged without opening it") {
  CHECK(base::check_listen({.address = "127.0.0.1:0"}));
  CHECK(base::check_listen({.address = "[::1]:80"}));
  CHECK(base::check_listen({.address = "unix:/run/x.sock"}));
  CHECK(!base::check_listen({.address = "0.0.0.0:80"}));
  CHECK(!base::check_listen({.address = "localhost:80"}));
  CHECK(!base::check_listen({.address = ""}));
  CHECK(base::check_listen({.address = "0.0.0.0:80", .exposure = base::Exposure::Anywhere}));
}

TEST_CASE("http server: only local addresses unless allowed") {
  for (const char* address : {"0.0.0.0:0", "[::]:0", "192.0.2.1:0"}) {
    const auto server = HttpServer::start({.address = address}, routes());
    REQUIRE_MESSAGE(!server, address);
    CHECK(server.error().code == Code::Invalid);
  }
  CHECK(HttpServer::start({.address = "0.0.0.0:0", .exposure = Exposure::Anywhere}, routes()).has_value());
  CHECK(!HttpServer::start({.address = "localhost:80"}, routes()));
  CHECK(!HttpServer::start({.address = "127.0.0.1:0"}, {{"GET", "x", nullptr}}));
}

TEST_CASE("http server: UNIX socket with the mode asked for") {
  char folder[] = "/tmp/nimbus-http-XXXXXX";
  REQUIRE(::mkdtemp(folder) != nullptr);
  const std::string path = std::string(folder) + "/api.sock";
  {
    const auto server = HttpServer::start({.address = "unix:" + path, .unix_mode = 0600}, routes());
    REQUIRE(server.has_value());
    struct stat info {};
    REQUIRE(::stat(path.c_str(), &info) == 0);
    CHECK((info.st_mode & 0777U) == 0600);
    CHECK(contains(ask("unix:" + path, kGet), "hello you"));
    CHECK((*server)->port() == 0);
  }
  ::unlink(path.c_str());
  ::rmdir(folder);
}

TEST_CASE("http server: stopping lets a request under way finish and takes no new one") {
  std::latch entered(1);
  std::promise<void> release;
  auto released = release.get_future().share();
  auto server = HttpServer::start({.address = "127.0.0.1:0"}, {{"GET", "/slow", [&](const HttpRequest&) {
                                                                  entered.count_down();
                                                                  released.wait();
                                                                  return HttpResponse{.body = "done"};
                                                                }}});
  REQUIRE(server.has_value());
  RawClient idle((*server)->address());
  RawClient client((*server)->address());
  client.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  entered.wait();
  std::jthread stopper([&] { (*server)->stop(); });
  CHECK(idle.read_all().empty());  // closed because of the stop
  CHECK(idle.ended());
  release.set_value();
  const auto answer = client.read_all();
  CHECK(answer.ends_with("done"));
  CHECK(contains(answer, "Connection: close"));
  stopper.join();
  RawClient late((*server)->address());
  CHECK((!late.open() || late.read_all().empty()));
}

TEST_CASE("http server: many connects at once all get an answer") {
  const auto server = serve({.workers = 4, .waiting = 300});
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 300; ++i) clients.push_back(std::make_unique<RawClient>(server->address()));
  for (auto& client : clients) client->send(kGet);
  int answered = 0;
  for (auto& client : clients) answered += contains(client->read_all(), "hello you") ? 1 : 0;
  CHECK(answered == 300);
}
