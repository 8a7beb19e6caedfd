// The power decision: what, if anything, is to be done about a machine's power.
//
// Pure and total: same inputs, same decision. Two laws, tested with generated
// states: a converged machine decides nothing; after the decided action took
// effect, the next decision is nothing. Whether a decided write may happen now
// (hands-off, identity, term, holds) is the guard's business, not this one's.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "core/observed.hpp"
#include "core/power.hpp"
#include "core/time.hpp"

namespace nimbus::reconcilers {

/// Durations are for the whole fleet; nimbusd.toml may change them.
struct PowerPolicy {
  /// How long a BMC may keep showing the old state after it took an action. Some
  /// apply it 11 s later; an action is not repeated before this has passed.
  std::chrono::milliseconds settle = std::chrono::seconds(30);
  /// How long an operating system may take to shut down before the power is cut.
  std::chrono::milliseconds soft_off_deadline = std::chrono::minutes(5);
  /// How long PoweringOn or PoweringOff may last before a person should look.
  std::chrono::milliseconds transition_deadline = std::chrono::minutes(10);
  /// So many actions without the wanted effect, within this time, and a person
  /// must look: the machine does not obey, or somebody works against us.
  int most_attempts = 3;
  std::chrono::milliseconds attempts_window = std::chrono::minutes(15);

  friend bool operator==(const PowerPolicy&, const PowerPolicy&) = default;
};

/// What was done before, from the journal; survives restarts.
struct PowerHistory {
  struct Attempt {
    PowerAction action = PowerAction::On;
    WallTime at{};
    friend bool operator==(const Attempt&, const Attempt&) = default;
  };
  /// The newest action sent, unless its effect has been seen since.
  std::optional<Attempt> last;
  /// Actions towards the present goal, successful ones too, within
  /// PowerPolicy::attempts_window and since the registry last changed its wish.
  int attempts = 0;
  /// Since when the BMC has shown its present transitional state.
  std::optional<WallTime> transition_since;
};

struct PowerDecision {
  enum class Kind {
    Nothing,  // as wanted, or nothing is wanted
    Act,      // send `action`
    Report,   // differs, and the registry says to observe only
    Wait,     // something is under way; look again at `look_again`
    Hold,     // a person must look
    Unknown,  // the power could not be read: never acted upon
  };
  Kind kind = Kind::Nothing;
  PowerAction action = PowerAction::On;  // for Act
  std::string reason;                    // a sentence for people
  std::optional<WallTime> look_again;    // for Wait

  friend bool operator==(const PowerDecision&, const PowerDecision&) = default;
};

PowerDecision decide_power(WantedPower wanted, Enforcement enforcement, const Observed<PowerState>& power,
                           const PowerHistory& history, const PowerPolicy& policy, WallTime now);

}  // namespace nimbus::reconcilers
