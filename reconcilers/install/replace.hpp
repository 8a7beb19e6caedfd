// Replacement: what on_machine_failure = "replace" does once a machine has failed its
// instance. Pure: the instance goes to another machine only if the first is seen to be
// off, and only if there is another one. What is on the first one's disks stays there.
#pragma once

#include <cstdint>
#include <string>

#include "core/observed.hpp"
#include "core/power.hpp"

namespace nimbus::reconcilers {

/// An instance that was replaced so often is held: it may be what breaks machines.
inline constexpr int kMostReplacements = 3;

struct FailureView {
  std::string failure;       // why the machine cannot carry the instance; empty: it can
  bool replace = false;      // on_machine_failure = "replace"
  bool unprotected = false;  // protected = false was in force, and told in status, before
  int replaced = 0;          // machines that are kept aside for this instance already
  std::string other;         // the machine that placement would choose now; empty: none
  std::string no_other;      // why none
  std::string limit;         // of policy/limits.toml; empty: it may happen now
  Observed<PowerState> power = Observed<PowerState>::unknown("");  // of the one that failed, read back just now
};

struct Replacement {
  enum class Kind : std::uint8_t {
    Nothing,   // the machine has not failed, or the instance waits for a person
    Wait,      // not yet, and `reason` says for what
    PowerOff,  // so that it can be seen to be off
    Replace,
  };
  Kind kind = Kind::Nothing;
  std::string reason;
  friend bool operator==(const Replacement&, const Replacement&) = default;
};

/// Why the instance stays where it is, whatever the power says; empty: it may go.
std::string replacement_obstacle(const FailureView& view);

Replacement decide_replacement(const FailureView& view);

}  // namespace nimbus::reconcilers
