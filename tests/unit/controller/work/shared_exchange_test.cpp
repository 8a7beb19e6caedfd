#include "controller/work/shared_exchange.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <semaphore>
#include <thread>
#include <vector>

using namespace nimbus;
using namespace nimbus::controller;

namespace {

/// Looks until `done`, or gives up.
template <class Condition>
bool becomes_true(Condition done) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!done()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace

TEST_CASE("shared exchange: nobody is answered by one that began before he asked") {
  SharedExchange shared;
  std::atomic<std::uint64_t> order{1};     // every question and every beginning has its own number
  std::atomic<std::uint64_t> answered{0};  // the beginning of the newest exchange that ended
  std::atomic<int> under_way{0};
  std::atomic<int> exchanges{0}, early{0}, together{0};
  constexpr int kThreads = 8, kQuestions = 500;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < kQuestions; ++i) {
          const std::uint64_t decided = order++;
          const auto said = shared.join([&]() -> Result<> {
            if (++under_way != 1) ++together;
            const std::uint64_t begun = order++;
            ++exchanges;
            std::this_thread::yield();
            answered = begun;
            --under_way;
            return {};
          });
          if (!said || answered <= decided) ++early;
        }
      });
    }
  }
  CHECK(early == 0);
  CHECK(together == 0);
  CHECK(exchanges <= kThreads * kQuestions);
  CHECK(shared.waiting() == 0);
}

TEST_CASE("shared exchange: all who ask during one are answered by the next") {
  SharedExchange shared;
  std::binary_semaphore may_end{0};
  std::atomic<int> exchanges{0};
  std::atomic<int> answered{0};
  constexpr int kWaiting = 31;
  const auto exchange = [&]() -> Result<> {
    if (++exchanges == 1) may_end.acquire();
    return {};
  };
  std::vector<std::jthread> threads;
  threads.emplace_back([&] { static_cast<void>(shared.join(exchange)); });
  REQUIRE(becomes_true([&] { return exchanges == 1; }));
  for (int i = 0; i < kWaiting; ++i) {
    threads.emplace_back([&] {
      if (shared.join(exchange)) ++answered;
    });
  }
  REQUIRE(becomes_true([&] { return shared.waiting() == kWaiting; }));
  may_end.release();
  threads.clear();
  CHECK(answered == kWaiting);
  CHECK(exchanges == 2);
}

TEST_CASE("shared exchange: an error is everybody's who waited for it, and not the next one's") {
  SharedExchange shared;
  CHECK(shared.join([]() -> Result<> { return Error{Code::Unreachable, "down"}; }).error().code == Code::Unreachable);
  CHECK(shared.join([]() -> Result<> { return {}; }));
  CHECK_THROWS(shared.join([]() -> Result<> { throw 1; }));
  CHECK(shared.join([]() -> Result<> { return {}; }));
}
