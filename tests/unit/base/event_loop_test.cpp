#include "base/net/event_loop.hpp"

#include <unistd.h>

#include <array>
#include <atomic>
#include <future>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/net/socket.hpp"

#include <doctest/doctest.h>

using namespace nimbus::base;
using namespace std::chrono_literals;

namespace {

struct Pipe {
  FileDescriptor reader, writer;
  Pipe() {
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    reader.reset(ends[0]);
    writer.reset(ends[1]);
  }
  void put() const {
    const char byte = 'x';
    REQUIRE(::write(writer.get(), &byte, 1) == 1);
  }
};

/// A loop that ends by itself with an error if a test forgets to stop it.
struct Fixture {
  std::unique_ptr<EventLoop> loop = std::move(EventLoop::create().value());
  std::stop_source stop;
  bool timed_out = false;
  void run() {
    const auto guard = loop->start_timer(10s, [this] { timed_out = true, stop.request_stop(); });
    loop->run(stop.get_token());
    loop->cancel_timer(guard);
    CHECK_FALSE(timed_out);
  }
};

}  // namespace

TEST_CASE("timers run in order, and equal times in the order of starting") {
  Fixture f;
  std::string order;
  const auto now = std::chrono::steady_clock::now();
  f.loop->start_timer(now + 20ms, [&] { order += 'c', f.stop.request_stop(); });
  f.loop->start_timer(now + 10ms, [&] { order += 'a'; });
  f.loop->start_timer(now + 10ms, [&] { order += 'b'; });
  f.run();
  CHECK(order == "abc");
  CHECK(std::chrono::steady_clock::now() >= now + 20ms);
  CHECK(f.loop->timer_count() == 0);
}

TEST_CASE("a cancelled timer does not run, also when a timer of the same round cancels it") {
  Fixture f;
  bool ran = false;
  const auto now = std::chrono::steady_clock::now();
  auto victim = EventLoop::TimerId::None;
  f.loop->start_timer(now, [&] { f.loop->cancel_timer(victim); });
  victim = f.loop->start_timer(now, [&] { ran = true; });
  f.loop->start_timer(now + 5ms, [&] { f.stop.request_stop(); });
  f.run();
  CHECK_FALSE(ran);
  f.loop->cancel_timer(victim);                    // again: nothing happens
  f.loop->cancel_timer(EventLoop::TimerId::None);  // nothing to cancel
}

TEST_CASE("many cancelled timers leave the others alone") {
  Fixture f;
  int ran = 0;
  std::vector<EventLoop::TimerId> ids;
  for (int i = 0; i < 5000; ++i) ids.push_back(f.loop->start_timer(1h, [&] { ran += 1000; }));
  for (int i = 0; i < 10; ++i) f.loop->start_timer(1ms, [&] { ++ran; });
  for (const auto id : ids) f.loop->cancel_timer(id);
  CHECK(f.loop->timer_count() == 10);
  f.loop->start_timer(5ms, [&] { f.stop.request_stop(); });
  f.run();
  CHECK(ran == 10);
}

TEST_CASE("a timer that starts itself again does not starve descriptors") {
  Fixture f;
  const Pipe pipe;
  std::function<void()> again = [&] { f.loop->start_timer(0ns, again); };
  again();
  REQUIRE(f.loop->watch(pipe.reader.get(), Interest::Read, [&](Ready) { f.stop.request_stop(); }));
  pipe.put();
  f.run();
}

TEST_CASE("reading, writing, hanging up") {
  Fixture f;
  Pipe pipe;
  std::vector<std::string> seen;
  REQUIRE(f.loop->watch(pipe.writer.get(), Interest::Write, [&](Ready ready) {
    CHECK(ready.writable);
    seen.emplace_back("writable");
    pipe.put();
    CHECK(f.loop->modify(pipe.writer.get(), Interest::None));
  }));
  REQUIRE(f.loop->watch(pipe.reader.get(), Interest::Read, [&](Ready ready) {
    if (ready.readable) {
      std::array<char, 8> room{};
      CHECK(::read(pipe.reader.get(), room.data(), room.size()) == 1);
      seen.emplace_back("readable");
      f.loop->unwatch(pipe.writer.get());
      pipe.writer.reset();
    } else if (ready.failed) {
      seen.emplace_back("hung up");
      f.stop.request_stop();
    }
  }));
  f.run();
  CHECK(seen == std::vector<std::string>{"writable", "readable", "hung up"});
  CHECK(f.loop->watch_count() == 1);
}

TEST_CASE("an unwatched descriptor gets no call for an event of the same round") {
  Fixture f;
  const Pipe a;
  const Pipe b;
  int calls = 0;
  const auto once = [&](const Pipe& other) {
    return [&](Ready) {
      ++calls;
      f.loop->unwatch(a.reader.get());  // one of the two is the running callback itself
      f.loop->unwatch(b.reader.get());
      (void)other;
      f.stop.request_stop();
    };
  };
  REQUIRE(f.loop->watch(a.reader.get(), Interest::Read, once(b)));
  REQUIRE(f.loop->watch(b.reader.get(), Interest::Read, once(a)));
  a.put();
  b.put();
  f.run();
  CHECK(calls == 1);
  CHECK(f.loop->watch_count() == 0);
}

TEST_CASE("a descriptor closed and opened again in a callback is a new one") {
  Fixture f;
  Pipe a;
  Pipe b;
  bool stale = false;
  const auto reopen = [&](Pipe& other) {
    return [&](Ready) {
      const int number = other.reader.get();
      f.loop->unwatch(number);
      other = Pipe();  // usually gets the same numbers
      if (!f.loop->watch(other.reader.get(), Interest::Read, [&](Ready) { stale = true; })) return;
      f.stop.request_stop();
    };
  };
  REQUIRE(f.loop->watch(a.reader.get(), Interest::Read, reopen(b)));
  REQUIRE(f.loop->watch(b.reader.get(), Interest::Read, reopen(a)));
  a.put();
  b.put();
  f.run();
  CHECK_FALSE(stale);
}

TEST_CASE("watching twice and what is not watched") {
  Fixture f;
  const Pipe pipe;
  REQUIRE(f.loop->watch(pipe.reader.get(), Interest::Read, [](Ready) {}));
  CHECK(f.loop->watch(pipe.reader.get(), Interest::Read, [](Ready) {}).error().code == nimbus::Code::Internal);
  CHECK(f.loop->watch(-1, Interest::Read, [](Ready) {}).error().code == nimbus::Code::Internal);
  CHECK(f.loop->modify(pipe.writer.get(), Interest::Write).error().code == nimbus::Code::NotFound);
  f.loop->unwatch(pipe.writer.get());
  CHECK(f.loop->watch_count() == 1);
}

TEST_CASE("posting from many threads: every task runs once, per thread in order") {
  Fixture f;
  constexpr int kThreads = 4;
  constexpr int kEach = 500;
  std::array<int, kThreads> last{};
  int total = 0;
  bool ordered = true;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 1; i <= kEach; ++i) {
          f.loop->post([&, t, i] {
            auto& previous = last.at(static_cast<std::size_t>(t));
            ordered = ordered && previous == i - 1;
            previous = i;
            if (++total == kThreads * kEach) f.stop.request_stop();
          });
        }
      });
    }
    f.run();
  }
  CHECK(ordered);
  CHECK(total == kThreads * kEach);
}

TEST_CASE("what was posted before the stop has run when run() returns") {
  const auto loop = std::move(EventLoop::create().value());
  std::atomic<int> ran = 0;
  {
    std::jthread thread([&](const std::stop_token& stop) { loop->run(stop); });
    loop->post([&] { ++ran; });
  }
  CHECK(ran == 1);
  loop->post([&] { ++ran; });  // waits for the next run
  CHECK(ran == 1);
  std::stop_source stopped;
  stopped.request_stop();
  loop->run(stopped.get_token());
  CHECK(ran == 2);
}

TEST_CASE("the stop wakes a loop that has nothing to do") {
  const auto loop = std::move(EventLoop::create().value());
  std::promise<void> started;
  std::jthread thread([&](const std::stop_token& stop) { loop->run(stop); });
  loop->post([&] { started.set_value(); });
  started.get_future().wait();
  thread.request_stop();
  thread.join();  // hangs if it does not wake; ctest's limit ends it
  CHECK(loop->watch_count() == 0);
}

TEST_CASE("UDP packets wake the loop") {
  const auto loop = std::move(EventLoop::create().value());
  const auto server = bind_udp(SocketAddress::numeric({"127.0.0.1", 0}).value());
  REQUIRE(server);
  const auto client = connect_udp(local_address(*server).value());
  REQUIRE(client);
  std::promise<std::size_t> received;
  REQUIRE(loop->watch(server->get(), Interest::Read, [&](Ready) {
    std::array<std::uint8_t, 64> room{};
    const auto got = receive_some(*server, room);
    if (got && got->has_value()) received.set_value(**got);
  }));
  std::jthread thread([&](const std::stop_token& stop) { loop->run(stop); });
  const std::array<std::uint8_t, 3> data{1, 2, 3};
  REQUIRE(send_some(*client, data));
  auto answer = received.get_future();
  REQUIRE(answer.wait_for(5s) == std::future_status::ready);
  CHECK(answer.get() == 3);
}
