// The restart decision: one power cycle each time an instance's `restart` counter is
// raised. A cycle is always off, observe, on, observe; what of it was done is kept by
// the caller, durably, before the step is taken, so that a crash at any moment is
// followed by the rest of the cycle and never by a second one.
//
// Pure and total. The first counter ever seen of an instance is no request: it is
// where counting begins. Lowering it asks for nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/power.hpp"

namespace nimbus::reconcilers {

struct RestartWish {
  std::string instance;  // "acme/web-1"; empty: none is placed, nothing is asked
  std::int64_t counter = 0;
  WantedPower power = WantedPower::On;  // of the instance
};

/// What the journal knows.
struct RestartProgress {
  enum class Phase : std::uint8_t {
    Idle,
    GoingOff,  // the cycle has begun; the machine has not been seen off
    GoingOn,   // it was seen off
  };
  std::string instance;              // that the numbers are of
  std::optional<std::int64_t> done;  // nothing: none seen yet
  std::int64_t request = 0;          // the counter that the running cycle is for
  Phase phase = Phase::Idle;
  friend bool operator==(const RestartProgress&, const RestartProgress&) = default;
};

struct RestartDecision {
  /// To be kept before anything is sent; as it was: nothing is to be kept.
  RestartProgress progress;
  /// What the cycle wants of the power now; nothing: no cycle is under way.
  std::optional<WantedPower> power;
  /// The cycle begins with this decision: ask whether it may (window, budget) before
  /// the progress is kept.
  bool begins = false;
  friend bool operator==(const RestartDecision&, const RestartDecision&) = default;
};

RestartDecision decide_restart(const RestartWish& wish, const RestartProgress& progress, PowerState state);

/// "instance=acme/web-1 done=3 request=4 phase=going-off" and back; nothing: not such a text.
std::string to_text(const RestartProgress& progress);
std::optional<RestartProgress> parse_restart_progress(const std::string& text);

}  // namespace nimbus::reconcilers
