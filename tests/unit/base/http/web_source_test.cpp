#include "base/http/web_source.hpp"

#include <doctest/doctest.h>

#include <filesystem>

#include "base/file/file.hpp"
#include "support/tls_server.hpp"

using namespace nimbus;
using namespace nimbus::base;
using namespace std::chrono_literals;
using nimbus::test::TlsServer;

namespace {

struct Bench {
  explicit Bench(TlsServer::Script script) : server(std::move(script)) {
    char name[] = "/tmp/nimbus-web-source-XXXXXX";
    folder = ::mkdtemp(name);
    ca = folder + "/ca.pem";
    REQUIRE(write_file_atomically(ca, server.certificate.pem(), 0600));
  }
  ~Bench() { std::filesystem::remove_all(folder); }

  Result<> read(std::int64_t offset = 0, SourceRules rules = {}, std::string path = "/image") {
    WebSource source({.url = server.origin + path, .ca_file = ca, .rules = std::move(rules), .stop = {}, .stall = 2s});
    return source.read(offset, [this](std::span<const std::uint8_t> bytes) -> Result<> {
      got.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      return got.size() > most ? Result<>(Error{Code::Busy, "enough"}) : Result<>();
    });
  }

  TlsServer server;
  std::string folder, ca, got;
  std::size_t most = 1000;
};

bool asks_for(const std::string& request, std::string_view words) { return request.find(words) != std::string::npos; }

}  // namespace

TEST_CASE("a file over https: whole, and from where it was cut") {
  Bench bench([](TlsServer::Peer& peer) {
    const auto request = peer.read_request();
    if (asks_for(request, "Range: bytes=3-"))
      peer.answer(206, "defg", "Content-Range: bytes 3-6/7\r\n");
    else
      peer.answer(200, "abcdefg");
  });
  REQUIRE(bench.read());
  CHECK(bench.got == "abcdefg");
  bench.got = "abc";
  REQUIRE(bench.read(3));
  CHECK(bench.got == "abcdefg");
}

TEST_CASE("a server without ranges begins anew, and what was read is not read twice") {
  Bench bench([](TlsServer::Peer& peer) {
    peer.read_request();
    peer.answer(200, "abcdefg");
  });
  REQUIRE(bench.read(5));
  CHECK(bench.got == "fg");
}

TEST_CASE("another range than asked for is refused") {
  Bench bench([](TlsServer::Peer& peer) {
    peer.read_request();
    peer.answer(206, "xx", "Content-Range: bytes 1-2/7\r\n");
  });
  CHECK(bench.read(5).error().code == Code::Corrupt);
  CHECK(bench.got.empty());
}

TEST_CASE("a stream that ends early is cut, and the sink's refusal is its own") {
  Bench bench([](TlsServer::Peer& peer) {
    peer.read_request();
    peer.write("HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\nabc");
  });
  CHECK(bench.read().error().code == Code::Unreachable);
  CHECK(bench.got == "abc");
  bench.most = 3;
  const auto refused = bench.read();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message == "enough");
}

TEST_CASE("who has no certificate of the CA gets no question") {
  bool asked = false;
  TlsServer other([](TlsServer::Peer&) {});
  Bench bench([&](TlsServer::Peer& peer) { asked = !peer.read_request().empty(); });
  REQUIRE(write_file_atomically(bench.ca, other.certificate.pem(), 0600));
  CHECK(bench.read().error().code == Code::Untrusted);
  CHECK_FALSE(asked);
}

TEST_CASE("no address and no redirect without leave") {
  int asked = 0;
  Bench bench([&](TlsServer::Peer& peer) {
    const auto request = peer.read_request();
    ++asked;
    if (asks_for(request, "GET /image "))
      peer.answer(302, "", "Location: /other\r\n");
    else if (asks_for(request, "GET /round "))
      peer.answer(302, "", "Location: /round\r\n");
    else
      peer.answer(200, "there");
  });
  SourceRules nowhere{.redirect = {}, .address = [](const SocketAddress& address) -> Result<> {
                        return Error{Code::Untrusted, "no: " + address.text()};
                      }};
  const auto refused = bench.read(0, nowhere);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.starts_with("no: 127.0.0.1:"));
  CHECK(asked == 0);

  CHECK(bench.read().error().code == Code::Untrusted);  // no rule: not followed
  CHECK(asked == 1);
  std::vector<std::string> places;
  SourceRules only_other{.redirect = [&](const std::string& url) -> Result<> {
                           places.push_back(url);
                           if (url.ends_with("/other") || url.ends_with("/round")) return {};
                           return Error{Code::Untrusted, "no"};
                         },
                         .address = {}};
  REQUIRE(bench.read(0, only_other));
  CHECK(bench.got == "there");
  CHECK(places == std::vector<std::string>{bench.server.origin + "/other"});
  const auto round = bench.read(0, only_other, "/round");
  REQUIRE_FALSE(round);
  CHECK(round.error().message.find("without end") != std::string::npos);
}

TEST_CASE("a refusal by status is told, and its text is no part of the file") {
  int status = 404;
  Bench bench([&](TlsServer::Peer& peer) {
    peer.read_request();
    peer.answer(status, "a page");
  });
  CHECK(bench.read().error().code == Code::NotFound);
  status = 503;
  CHECK(bench.read().error().code == Code::Busy);
  status = 416;
  CHECK(bench.read().error().code == Code::Invalid);
  CHECK(bench.got.empty());
}

TEST_CASE("URLs of both kinds") {
  CHECK(parse_web_url("https://images.example/a")->port == 443);
  CHECK(parse_web_url("https://images.example:8443/a")->port == 8443);
  CHECK(parse_web_url("http://images.example/a")->port == 80);
  for (const auto* bad :
       {"ftp://images.example/a", "https://user@images.example/a", "https:///a", "file:///etc/passwd"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_web_url(bad));
  }
}
