#include <doctest/doctest.h>

#include "simulator/http/message.hpp"

using nimbus::simulator::http::Request;
using nimbus::simulator::http::RequestParser;
using State = RequestParser::State;

namespace {

int refusal_of(std::string_view text) {
  RequestParser parser;
  return parser.feed(text) == State::Broken ? parser.refusal() : 0;
}

}  // namespace

TEST_CASE("a request, byte by byte") {
  RequestParser parser;
  const std::string_view text =
      "POST /redfish/v1/x?$top=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nX-Auth-Token:  t \r\n\r\nabc";
  for (std::size_t i = 0; i + 1 < text.size(); ++i) REQUIRE(parser.feed(text.substr(i, 1)) == State::Incomplete);
  REQUIRE(parser.feed(text.substr(text.size() - 1)) == State::Complete);
  const Request request = parser.take();
  CHECK(request.method == "POST");
  CHECK(request.path == "/redfish/v1/x");
  CHECK(request.query == "$top=1");
  CHECK(request.body == "abc");
  CHECK(*request.header("x-auth-token") == "t");
  CHECK(request.keep_alive);
  CHECK(parser.idle());
}

TEST_CASE("pipelined requests come one after the other") {
  RequestParser parser;
  REQUIRE(parser.feed("GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.0\r\n\r\nGET /c") == State::Complete);
  CHECK(parser.take().path == "/a");
  REQUIRE(parser.state() == State::Complete);
  const Request second = parser.take();
  CHECK(second.path == "/b");
  CHECK_FALSE(second.keep_alive);
  CHECK(parser.state() == State::Incomplete);
  CHECK(parser.feed(" HTTP/1.1\r\n\r\n") == State::Complete);
  CHECK(parser.take().path == "/c");
}

TEST_CASE("what is refused, and how") {
  CHECK(refusal_of("GET\r\n\r\n") == 400);
  CHECK(refusal_of("GET a HTTP/1.1\r\n\r\n") == 400);
  CHECK(refusal_of("GET /a\x01 HTTP/1.1\r\n\r\n") == 400);
  CHECK(refusal_of("GET /a HTTP/2.0\r\n\r\n") == 505);
  CHECK(refusal_of("GET /a HTTP/1.1\r\nNo Colon\r\n\r\n") == 400);
  CHECK(refusal_of("GET /a HTTP/1.1\r\nA : b\r\n\r\n") == 400);
  CHECK(refusal_of("GET /a HTTP/1.1\r\n folded: b\r\n\r\n") == 400);
  CHECK(refusal_of("POST /a HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n") == 400);
  CHECK(refusal_of("POST /a HTTP/1.1\r\nContent-Length: -1\r\n\r\n") == 400);
  CHECK(refusal_of("POST /a HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n") == 400);
  CHECK(refusal_of("POST /a HTTP/1.1\r\nContent-Length: 2000000\r\n\r\n") == 413);
  CHECK(refusal_of("POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n") == 501);
  CHECK(refusal_of(std::string(9000, 'x')) == 414);
  CHECK(refusal_of("GET /" + std::string(9000, 'x') + " HTTP/1.1\r\n\r\n") == 414);
  std::string many = "GET /a HTTP/1.1\r\n";
  for (int i = 0; i < 65; ++i) many += "A: b\r\n";
  CHECK(refusal_of(many + "\r\n") == 431);
  CHECK(refusal_of("GET /a HTTP/1.1\r\nA: " + std::string(20000, 'x')) == 431);
}

TEST_CASE("a response says how long it is and whether the connection stays") {
  const Request kept{.method = "GET"};
  CHECK(nimbus::simulator::http::render({.body = "hi"}, kept) ==
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nhi");
  const Request head{.method = "HEAD", .keep_alive = false};
  CHECK(nimbus::simulator::http::render({.body = "hi"}, head) ==
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n");
  CHECK(nimbus::simulator::http::render({.status = 204, .body = "hi"}, kept) ==
        "HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n");
}
