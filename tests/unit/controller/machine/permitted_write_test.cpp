#include "controller/machine/permitted_write.hpp"

#include <doctest/doctest.h>

#include "core/ports/bmc_observe.hpp"
#include "support/fake_clock.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using namespace std::chrono_literals;
using nimbus::testing::FakeClock;

namespace {

/// A BMC that is read for `takes` before the write may leave, as drivers do it.
struct SlowBmc {
  FakeClock& clock;
  std::chrono::milliseconds takes{0};
  int tries = 0;
  int writes = 0;

  Result<WriteOutcome> act(const Call& call) {
    ++tries;
    clock.advance(takes);
    if (clock.now() > call.write_by) return Error{Code::Conflict, "nothing was sent"};
    ++writes;
    return WriteOutcome::Accepted;
  }
};

struct Try {
  FakeClock clock;
  SlowBmc bmc{clock};
  int asked = 0;
  bool refused = false;

  Result<WriteOutcome> run() {
    return write_while_permitted(
        clock, Call{MonoTime::max()}, clock.now(), [&](const Call& call) { return bmc.act(call); },
        [&]() -> std::optional<MonoTime> {
          ++asked;
          return refused ? std::nullopt : std::optional(clock.now());
        });
  }
};

}  // namespace

TEST_CASE_FIXTURE(Try, "a write in time asks nobody again") {
  CHECK(run());
  CHECK(bmc.writes == 1);
  CHECK(asked == 0);
}

TEST_CASE_FIXTURE(Try,
                  "a process that slept in the middle of a write asks again, and writes nothing where it may not") {
  bmc.takes = 20s;
  refused = true;
  const auto outcome = run();
  REQUIRE(!outcome);
  CHECK(outcome.error().code == Code::Conflict);
  CHECK(asked == 1);
  CHECK(bmc.writes == 0);
}

TEST_CASE_FIXTURE(Try, "a slow BMC is given longer each time, and not for ever") {
  bmc.takes = 3s;
  CHECK(run());
  CHECK(bmc.tries == 2);
  CHECK(asked == 1);
  bmc.takes = 40s;
  CHECK(!run());
  CHECK(bmc.tries == 2 + 3);  // 1 s, 4 s, 16 s
  CHECK(bmc.writes == 1);
}

TEST_CASE_FIXTURE(Try, "another conflict is the caller's to judge") {
  int tries = 0;
  const auto outcome = write_while_permitted(
      clock, Call{MonoTime::max()}, clock.now(),
      [&](const Call&) -> Result<WriteOutcome> {
        ++tries;
        return Error{Code::Conflict, "the session was lost"};
      },
      [&] { return std::optional(clock.now()); });
  CHECK(!outcome);
  CHECK(tries == 1);
}
