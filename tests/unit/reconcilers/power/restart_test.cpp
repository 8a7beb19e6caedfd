#include "reconcilers/power/restart.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <vector>

using namespace nimbus;
using namespace nimbus::reconcilers;
using Phase = RestartProgress::Phase;

namespace {

const RestartProgress kIdle{.instance = "acme/web-1", .done = 3, .request = 3, .phase = Phase::Idle};

RestartWish wish(std::int64_t counter, WantedPower power = WantedPower::On) { return {"acme/web-1", counter, power}; }

}  // namespace

TEST_CASE("restart: the first counter seen is where counting begins") {
  for (const auto& before : {RestartProgress{}, RestartProgress{.instance = "acme/other", .done = 1, .request = 1}}) {
    const auto decision = decide_restart(wish(7), before, PowerState::On);
    CHECK(!decision.power);
    CHECK(decision.progress == RestartProgress{"acme/web-1", 7, 7, Phase::Idle});
  }
}

TEST_CASE("restart: as answered, or lowered: nothing") {
  for (const std::int64_t counter : {3, 2}) {
    CHECK(decide_restart(wish(counter), kIdle, PowerState::On) == RestartDecision{kIdle, std::nullopt, false});
  }
  CHECK(decide_restart({}, kIdle, PowerState::On) == RestartDecision{kIdle, std::nullopt, false});
}

TEST_CASE("restart: off, seen off, on, seen on; once") {
  auto decision = decide_restart(wish(5), kIdle, PowerState::On);
  CHECK(decision.begins);
  CHECK(decision.power == WantedPower::Off);
  CHECK(decision.progress == RestartProgress{"acme/web-1", 3, 5, Phase::GoingOff});
  for (const auto state : {PowerState::On, PowerState::PoweringOff}) {
    CHECK(decide_restart(wish(5), decision.progress, state) ==
          RestartDecision{decision.progress, WantedPower::Off, false});
  }
  decision = decide_restart(wish(5), decision.progress, PowerState::Off);
  CHECK(decision.power == WantedPower::On);
  CHECK(decision.progress.phase == Phase::GoingOn);
  for (const auto state : {PowerState::Off, PowerState::PoweringOn}) {
    CHECK(decide_restart(wish(5), decision.progress, state) ==
          RestartDecision{decision.progress, WantedPower::On, false});
  }
  decision = decide_restart(wish(5), decision.progress, PowerState::On);
  CHECK(!decision.power);
  CHECK(decision.progress == RestartProgress{"acme/web-1", 5, 5, Phase::Idle});
}

TEST_CASE("restart: a machine that is off is only switched on; one that shall be off is left so") {
  const auto off = decide_restart(wish(4), kIdle, PowerState::Off);
  CHECK(off.begins);
  CHECK(off.power == WantedPower::On);
  const auto unwanted = decide_restart(wish(4, WantedPower::Off), kIdle, PowerState::Off);
  CHECK(!unwanted.power);
  CHECK(unwanted.progress.done == 4);
  CHECK(!decide_restart(wish(4), unwanted.progress, PowerState::On).power);
}

// From any progress, whatever the machine does, a request takes the power away at
// most once: the phases go one way.
TEST_CASE("restart: no sequence of observations cycles twice for one request") {
  constexpr int kSteps = 9;
  const std::vector<PowerState> states = {PowerState::On, PowerState::Off, PowerState::PoweringOn};
  int total = 1;
  for (int i = 0; i < kSteps; ++i) total *= static_cast<int>(states.size());
  for (int code = 0; code < total; ++code) {
    RestartProgress progress = kIdle;
    int begun = 0;
    bool was_on_again = false;
    for (int i = 0, rest = code; i < kSteps; ++i, rest /= static_cast<int>(states.size())) {
      const auto decision = decide_restart(wish(4), progress, states[static_cast<std::size_t>(rest) % states.size()]);
      begun += decision.begins ? 1 : 0;
      if (decision.power == WantedPower::On) was_on_again = true;
      if (was_on_again) REQUIRE(decision.power != WantedPower::Off);
      progress = decision.progress;
    }
    REQUIRE(begun <= 1);
  }
}

TEST_CASE("restart: progress as text and back") {
  for (const auto& progress : {RestartProgress{}, kIdle, RestartProgress{"acme/web-1", 3, 5, Phase::GoingOff},
                               RestartProgress{"acme/web-1", 3, 5, Phase::GoingOn}}) {
    CHECK(parse_restart_progress(to_text(progress)) == progress);
  }
  for (const char* bad : {"", "instance=a done=x request=1 phase=idle", "instance=a done=1 request=1 phase=odd",
                          "instance=a done=1 request= phase=idle", "instance=a done=1 request=1 phase=idle more"}) {
    CHECK(!parse_restart_progress(bad));
  }
}
