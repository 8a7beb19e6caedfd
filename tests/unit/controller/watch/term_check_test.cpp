#include "controller/watch/term_check.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <semaphore>
#include <thread>

#include "support/fake_clock.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using namespace std::chrono_literals;
using State = Authority::State;

TEST_CASE("term: confirmed before each write; a silent forge is not asked all the time") {
  nimbus::testing::FakeClock clock;
  State state = State::Held;
  bool forge_up = true;
  int asked = 0;
  TermCheck check(clock,
                  {.authority = [&] { return Authority{.state = state, .term = 1, .detail = {}}; },
                   .verify = [&](const Call&) -> Result<> {
                     asked += 1;
                     if (!forge_up) return Error{Code::Unreachable, "down"};
                     return {};
                   }},
                  {});
  CHECK(check.confirm().state == State::Held);
  CHECK(asked == 1);
  CHECK(check.confirm().state == State::Held);  // the first exchange began before this write was decided
  CHECK(asked == 2);
  forge_up = false;
  CHECK(check.confirm().state == State::Held);
  clock.advance(29s);
  CHECK(check.confirm().state == State::Held);
  CHECK(asked == 3);
  clock.advance(1s);
  check.confirm();
  CHECK(asked == 4);
}

TEST_CASE("term: a controller that slept while another took over learns it before it writes") {
  nimbus::testing::FakeClock clock;
  State state = State::Held;
  bool taken_over = false;
  TermCheck check(clock,
                  {.authority = [&] { return Authority{.state = state, .term = 1, .detail = {}}; },
                   .verify = [&](const Call&) -> Result<> {
                     if (taken_over) state = State::Deposed;
                     return {};
                   }},
                  {});
  CHECK(check.confirm().state == State::Held);
  clock.advance(1h);
  taken_over = true;
  CHECK(check.confirm().state == State::Deposed);
}

TEST_CASE("term: a controller stopped in the middle of asking asks once more") {
  nimbus::testing::FakeClock clock;
  State state = State::Held;
  int asked = 0;
  bool in_time = true;
  std::chrono::seconds stopped{0};
  TermCheck check(clock,
                  {.authority = [&] { return Authority{.state = state, .term = 1, .detail = {}}; },
                   .verify = [&](const Call&) -> Result<> {
                     if (++asked > 1) state = State::Deposed;  // while it was stopped
                     clock.advance(stopped);
                     if (!in_time && asked == 1) return Error{Code::Timeout, "the deadline passed"};
                     return {};
                   }},
                  {});
  SUBCASE("between the answer and the end") { stopped = 3s; }
  SUBCASE("past the deadline") {
    stopped = 8s;
    in_time = false;
  }
  CHECK(check.confirm().state == State::Deposed);
  CHECK(asked == 2);
}

TEST_CASE("term: a forge that times out is not asked twice") {
  nimbus::testing::FakeClock clock;
  int asked = 0;
  TermCheck check(clock,
                  {.authority = [] { return Authority{.state = State::Held, .term = 1, .detail = {}}; },
                   .verify = [&](const Call& call) -> Result<> {
                     asked += 1;
                     clock.advance(std::chrono::ceil<std::chrono::milliseconds>(call.deadline - clock.now()));
                     return Error{Code::Timeout, "no answer"};
                   }},
                  {});
  CHECK(check.confirm().state == State::Held);
  CHECK(asked == 1);
}

TEST_CASE("term: without one nobody is asked") {
  nimbus::testing::FakeClock clock;
  TermCheck check(clock,
                  {.authority = [] { return Authority{.state = State::Starting, .term = 0, .detail = {}}; },
                   .verify = [](const Call&) -> Result<> {
                     FAIL("asked");
                     return {};
                   }},
                  {});
  CHECK(check.confirm().state == State::Starting);
}

TEST_CASE("term: a write that is decided while the forge is asked is not released by that answer") {
  nimbus::testing::FakeClock clock;
  std::atomic<bool> taken_over{false};
  std::atomic<bool> deposed{false};
  std::atomic<int> asked{0};
  std::binary_semaphore may_answer{0}, has_looked{0};
  TermCheck check(
      clock,
      {.authority = [&] { return Authority{.state = deposed ? State::Deposed : State::Held, .term = 1, .detail = {}}; },
       .verify = [&](const Call&) -> Result<> {
         const bool theirs = taken_over;  // the forge's answer, before it arrives here
         if (++asked == 1) {
           has_looked.release();
           may_answer.acquire();
         }
         if (theirs) deposed = true;
         return {};
       }},
      {});
  std::jthread first([&] { check.confirm(); });
  has_looked.acquire();
  taken_over = true;  // and only now the second write is decided, at the same time by the clock
  State seen = State::Held;
  {
    std::jthread second([&] { seen = check.confirm().state; });
    may_answer.release();
  }
  CHECK(seen == State::Deposed);
  CHECK(asked == 2);
}
