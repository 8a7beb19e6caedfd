// The guard: may a write to this machine happen now? Pure. Asked just before
// every write; a refusal becomes a wait with a reason that status shows.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "core/desired/machine.hpp"
#include "core/identity.hpp"
#include "core/time.hpp"

namespace nimbus::controller {

/// Whether this controller may write at all.
struct Authority {
  enum class State {
    Starting,  // no term yet: observe only
    Held,      // the term is ours
    Deposed,   // another controller took a higher one: never again in this process
  };
  State state = State::Starting;
  unsigned long term = 0;
  std::string detail;  // why not, for people
};

struct Refusal {
  std::string_view reason;  // stable word, the `reason` of a condition
  std::string message;
  friend bool operator==(const Refusal&, const Refusal&) = default;
};

/// The reason of a refusal that ends by itself when the term was taken.
inline constexpr std::string_view kNoTerm = "NoTerm";

/// The reason of a refusal because a newer commit wants something else of the machine, or
/// nothing more: it is looked at again at once.
inline constexpr std::string_view kSuperseded = "Superseded";

struct GuardInput {
  Authority authority;
  Lifecycle lifecycle;
  IdentityMatch identity;  // of the session that the write would go to
  std::string local_hold;  // reason of a hold on this controller; empty: none
};

std::optional<Refusal> guard_write(const GuardInput& input);

/// How long a permission is good for. A process that was stopped after it was asked for
/// (SIGSTOP, a suspended virtual machine, a disk that hangs) finds another world: the
/// guard is asked again.
inline constexpr std::chrono::seconds kPermissionLasts{1};
inline bool has_expired(MonoTime permitted, MonoTime now) noexcept { return now - permitted > kPermissionLasts; }

}  // namespace nimbus::controller
