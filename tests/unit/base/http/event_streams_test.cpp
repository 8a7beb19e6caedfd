#include "base/http/event_streams.hpp"

#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>

#include "base/http/event_parser.hpp"
#include "support/tls_server.hpp"

using namespace nimbus;
using namespace nimbus::base;
using namespace std::chrono_literals;
using nimbus::test::TestCertificate;
using nimbus::test::TlsServer;

namespace {

constexpr std::string_view kHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";

std::vector<std::string> parse(std::initializer_list<std::string_view> pieces) {
  std::vector<std::string> out;
  EventParser parser;
  for (const auto piece : pieces) parser.feed(piece, [&](std::string_view data) { out.emplace_back(data); });
  return out;
}

/// What a handler was given, for a test that waits for it.
class Heard {
 public:
  std::function<void(std::string_view)> handler() {
    return [this](std::string_view data) {
      const std::lock_guard lock(mutex_);
      all_.emplace_back(data);
      changed_.notify_all();
    };
  }
  bool wait_for(std::size_t number) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 10s, [&] { return all_.size() >= number; });
  }
  std::vector<std::string> all() {
    const std::lock_guard lock(mutex_);
    return all_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> all_;
};

EventStreamRequest request_to(const TlsServer& server) {
  return {.peer = {.origin = server.origin, .pins = {*SpkiPin::of_certificate(server.certificate.pem())}},
          .target = "/sse",
          .headers = {{"X-Auth-Token", "t"}}};
}

template <class Condition>
bool soon(Condition condition) {
  const auto until = std::chrono::steady_clock::now() + 10s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::yield();
  }
  return true;
}

Error end_of(const EventStream& stream) {
  REQUIRE(soon([&] { return stream.ended().has_value(); }));
  return *stream.ended();
}

}  // namespace

TEST_CASE("event stream: lines of every kind, comments, several lines of data") {
  CHECK(parse({"data: a\n\n", "data:b\r\n\r\n", "data: c\r\r"}) == std::vector<std::string>{"a", "b", "c"});
  CHECK(parse({": a comment\n\n\n", "id: 7\nevent: x\ndata: one\ndata:  two\ndata\n\n"}) ==
        std::vector<std::string>{"one\n two\n"});
  CHECK(parse({"\xEF\xBB\xBF", "data: after a mark\n\n"}) == std::vector<std::string>{"after a mark"});
  CHECK(parse({"data: not complete\n"}).empty());
  CHECK(parse({"database: no\n\n", "retry: 5\n\n"}).empty());
  // However it is cut.
  const std::string text = "id: 1\r\ndata: {\"a\":\r\ndata: 1}\r\n\r\n: bye\r\n\r\ndata: x\r\n\r\n";
  EventParser parser;
  std::vector<std::string> out;
  for (const char& c : text) parser.feed({&c, 1}, [&](std::string_view data) { out.emplace_back(data); });
  CHECK(out == std::vector<std::string>{"{\"a\":\n1}", "x"});
}

TEST_CASE("event stream: of endless lines and events only the beginning is kept") {
  std::vector<std::string> out;
  EventParser parser;
  const auto keep = [&](std::string_view data) { out.emplace_back(data); };
  const std::string much(100'000, 'x');
  parser.feed("data: ", keep);
  for (int i = 0; i < 100; ++i) parser.feed(much, keep);
  parser.feed("\n\n", keep);
  for (int i = 0; i < 10'000; ++i) parser.feed("data: line\n", keep);
  parser.feed("\n", keep);
  REQUIRE(out.size() == 2);
  CHECK(out[0] == much.substr(0, EventParser::kMostKept));
  CHECK(out[1].size() <= EventParser::kMostKept);
}

TEST_CASE("event streams: events of several peers, until the stream is closed") {
  const auto script = [](TlsServer::Peer& peer) {
    const auto request = peer.read_request();
    if (request.find("X-Auth-Token: t\r\n") == std::string::npos) return;
    peer.write(kHead);
    peer.write(": hello\n\ndata: " + request.substr(0, request.find(' ')) + "\n\ndata: 2\n\n");
    peer.wait_for_end();
  };
  TlsServer one(script);
  TlsServer two(script);
  Heard heard;
  const auto streams = *make_event_streams(2);
  auto first = *streams->open(request_to(one), heard.handler());
  auto second = *streams->open(request_to(two), heard.handler());
  CHECK(heard.wait_for(4));
  CHECK(first->stands());
  CHECK(!first->ended());
  CHECK(soon([&] { return streams->standing() == 2; }));
  CHECK(heard.all().size() == 4);
  // No place is free, until one is given up.
  const auto third = streams->open(request_to(one), heard.handler());
  REQUIRE(!third);
  CHECK(third.error().code == Code::Busy);
  second.reset();
  CHECK(soon([&] { return streams->standing() == 1; }));
  CHECK(soon([&] { return streams->open(request_to(one), heard.handler()).has_value(); }));
}

TEST_CASE("event streams: what is no stream ends with its reason, and is not tried again") {
  std::atomic<int> connections = 0;
  std::string answer;
  TlsServer server([&](TlsServer::Peer& peer) {
    ++connections;
    if (!peer.read_request().empty()) peer.write(answer);
  });
  const auto streams = *make_event_streams(4);
  struct Case {
    const char* answer;
    Code code;
  };
  for (const Case& one : std::initializer_list<Case>{
           {"HTTP/1.1 401 X\r\nContent-Length: 0\r\n\r\n", Code::Auth},
           {"HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n", Code::Unsupported},
           {"HTTP/1.1 200 X\r\nContent-Type: text/html\r\nContent-Length: 1\r\n\r\nx", Code::Unsupported},
           {"HTTP/1.1 302 X\r\nLocation: https://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", Code::Unsupported},
           {"HTTP/1.1 200 X\r\nContent-Type: text/event-stream\r\n\r\ndata: x", Code::Unreachable},
           {"", Code::Unreachable},
           {"nonsense\r\n\r\n", Code::Corrupt}}) {
    CAPTURE(one.answer);
    answer = one.answer;
    connections = 0;
    const auto stream = *streams->open(request_to(server), [](std::string_view) {});
    CHECK(end_of(*stream).code == one.code);
    CHECK(!stream->stands());
    CHECK(connections == 1);
  }
  const std::string endless = "HTTP/1.1 200 X\r\n" + std::string(100'000, 'a') + ": b\r\n\r\n";
  answer = endless;
  CHECK(end_of(**streams->open(request_to(server), [](std::string_view) {})).code == Code::Corrupt);
}

TEST_CASE("event streams: another key gets nothing, not even the token") {
  std::atomic<int> requests = 0;
  TlsServer server([&](TlsServer::Peer& peer) {
    if (!peer.read_request().empty()) ++requests;
  });
  const TestCertificate other;
  const auto streams = *make_event_streams(1);
  auto request = request_to(server);
  request.peer.pins = {*SpkiPin::of_certificate(other.pem())};
  const auto stream = *streams->open(request, [](std::string_view) {});
  CHECK(end_of(*stream).code == Code::Untrusted);
  CHECK(requests == 0);
  request.peer.pins.clear();
  CHECK(streams->open(request, [](std::string_view) {}).error().code == Code::Invalid);
  request = request_to(server);
  request.headers = {{"X", "a\r\nY: b"}};
  CHECK(streams->open(request, [](std::string_view) {}).error().code == Code::Invalid);
}

TEST_CASE("event streams: a flood is cut off and delays nobody else") {
  TlsServer flood([](TlsServer::Peer& peer) {
    (void)peer.read_request();
    peer.write(kHead);
    const std::string event = "data: " + std::string(60'000, 'x') + "\n\n";
    while (peer.write(event)) {
    }
  });
  TlsServer calm([](TlsServer::Peer& peer) {
    (void)peer.read_request();
    peer.write(kHead);
    peer.write("data: calm\n\n");
    peer.wait_for_end();
  });
  Heard heard;
  Heard flooded;
  const auto streams = *make_event_streams(2);
  const auto bad = *streams->open(request_to(flood), flooded.handler());
  const auto good = *streams->open(request_to(calm), heard.handler());
  CHECK(heard.wait_for(1));
  CHECK(end_of(*bad).code == Code::RateLimited);
  CHECK(flooded.all().size() <= EventStreams::kMostBytes / 60'000);
  CHECK(good->stands());
}

TEST_CASE("event streams: a peer that accepts and says nothing is given up, and the next one gets its turn") {
  const auto silent = [](TlsServer::Peer& peer) { peer.wait_for_end(); };
  TlsServer mute(silent);
  TlsServer calm([](TlsServer::Peer& peer) {
    (void)peer.read_request();
    peer.write(kHead);
    peer.write("data: calm\n\n");
    peer.wait_for_end();
  });
  Heard heard;
  const auto streams = *make_event_streams(20, 1s);
  std::vector<std::unique_ptr<EventStream>> mutes;
  for (int i = 0; i < 10; ++i) mutes.push_back(*streams->open(request_to(mute), heard.handler()));
  const auto good = *streams->open(request_to(calm), heard.handler());
  CHECK(heard.wait_for(1));
  for (const auto& one : mutes) CHECK(end_of(*one).code == Code::Timeout);
}

TEST_CASE("event streams: no event after the stream was destroyed") {
  TlsServer server([](TlsServer::Peer& peer) {
    (void)peer.read_request();
    peer.write(kHead);
    while (peer.write("data: x\n\n")) {
    }
  });
  const auto streams = *make_event_streams(1);
  for (int i = 0; i < 5; ++i) {
    std::atomic<bool> alive = true;
    std::atomic<int> late = 0, events = 0;
    auto stream = streams->open(request_to(server), [&](std::string_view) {
      ++events;
      if (!alive) ++late;
    });
    if (!stream) continue;  // the place of the one before is given back by the thread
    CHECK(soon([&] { return events > 0 || (*stream)->ended(); }));
    stream->reset();
    alive = false;
    CHECK(late == 0);
  }
}
