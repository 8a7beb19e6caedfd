// Why a machine is as it is, and what happens next: from values that the last pass
// left, never from logs. Pure.
#pragma once

#include <optional>
#include <string>

#include "controller/api/live_board.hpp"
#include "core/time.hpp"

namespace nimbus::controller {

/// Sentences for people; empty ones say nothing.
struct Explanation {
  HealthWord state;
  std::string waiting_for;        // whose move it is; empty: nothing is to be done
  std::optional<WallTime> until;  // when it is looked at again, or a deadline ends
  std::string next_step;          // what Nimbus does then, or what a person can do now
};

Explanation explain(const LiveBoard::Entry& entry);

}  // namespace nimbus::controller
