#include "simulator/http/server.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace nimbus;
using namespace nimbus::simulator;
using namespace std::chrono_literals;

namespace {

constexpr auto kNever = std::chrono::milliseconds(1h);

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// A server without TLS on a loop that runs until something is so.
struct Bench {
  std::unique_ptr<base::EventLoop> loop = std::move(base::EventLoop::create().value());
  http::Server server;
  base::SocketAddress where;

  explicit Bench(const http::Server::Limits& limits, std::string body = "hello")
      : server(
            *loop, [body](const http::Request&, const http::Visit&) { return http::Response{.body = body}; }, limits),
        where(server.listen(base::SocketAddress::numeric({"127.0.0.1", 0}).value(), 0, nullptr).value()) {}

  base::FileDescriptor client() const { return std::move(base::connect_tcp(where).value()); }

  bool until(const std::function<bool()>& condition) {
    std::stop_source stop;
    bool so = false;
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    std::function<void()> look = [&] {
      so = condition();
      if (so || std::chrono::steady_clock::now() > deadline) {
        stop.request_stop();
      } else {
        loop->start_timer(2ms, look);
      }
    };
    loop->start_timer(0ms, look);
    loop->run(stop.get_token());
    return so;
  }
};

/// What came, and whether the connection has ended.
struct Seen {
  std::string text;
  bool ended = false;
  void look(const base::FileDescriptor& socket) {
    std::array<std::uint8_t, 4096> room{};
    while (!ended) {
      const auto got = base::receive_some(socket, room);
      ended = !got || (*got && **got == 0);
      if (ended || !*got) return;
      text.append(reinterpret_cast<const char*>(room.data()), **got);
    }
  }
};

}  // namespace

TEST_CASE("a connection that says nothing, and one that never ends its request, are ended") {
  for (const std::string_view said : {"", "GET / HT"}) {
    CAPTURE(said);
    Bench bench({.idle = said.empty() ? 20ms : kNever, .request = 20ms, .sweep = 5ms});
    const auto client = bench.client();
    CHECK(bench.until([&] { return bench.server.connection_count() == 1; }));
    if (!said.empty()) REQUIRE(base::send_some(client, bytes_of(said)));
    Seen seen;
    CHECK(bench.until([&] { return seen.look(client), seen.ended; }));
    CHECK(seen.text.empty());
    CHECK(bench.server.connection_count() == 0);
  }
}

TEST_CASE("an answer that nobody takes does not hold its connection for ever") {
  constexpr std::size_t kMoreThanAnyBuffer = 64 * 1024 * 1024;
  Bench bench({.idle = kNever, .request = kNever, .unread = 20ms, .sweep = 5ms}, std::string(kMoreThanAnyBuffer, 'x'));
  const auto client = bench.client();
  CHECK(bench.until([&] { return bench.server.connection_count() == 1; }));
  REQUIRE(base::send_some(client, bytes_of("GET / HTTP/1.1\r\n\r\n")));
  CHECK(bench.until([&] { return bench.server.served() == 1; }));
  CHECK(bench.until([&] { return bench.server.connection_count() == 0; }));
}

TEST_CASE("without descriptors new clients are turned away, and those who are in are served") {
  Bench bench({.idle = kNever, .sweep = kNever});
  const auto early = bench.client();
  CHECK(bench.until([&] { return bench.server.connection_count() == 1; }));
  std::vector<base::FileDescriptor> late;
  for (int i = 0; i < 20; ++i) late.push_back(bench.client());

  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit few{static_cast<rlim_t>(late.back().get()) + 1, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  std::vector<Seen> seen(late.size());
  const bool all_turned_away = bench.until([&] {
    for (std::size_t i = 0; i < late.size(); ++i) seen[i].look(late[i]);
    return std::ranges::all_of(seen, &Seen::ended);
  });
  REQUIRE(base::send_some(early, bytes_of("GET / HTTP/1.1\r\n\r\n")));
  Seen answer;
  const bool answered = bench.until([&] { return answer.look(early), answer.text.ends_with("hello"); });
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(all_turned_away);
  CHECK(answered);

  const auto later = bench.client();
  REQUIRE(bench.until([&] { return bench.server.connection_count() == 2; }));
  REQUIRE(base::send_some(later, bytes_of("GET / HTTP/1.1\r\n\r\n")));
  Seen again;
  CHECK(bench.until([&] { return again.look(later), again.text.ends_with("hello"); }));
}
