#include "controller/machine/guard.hpp"

namespace nimbus::controller {
namespace {

std::string because(std::string text, const std::string& reason) {
  return reason.empty() ? text : text + ": " + reason;
}

}  // namespace

// The order is that of the registry format, "Power, who wins": the first refusal
// is the one that people see.
std::optional<Refusal> guard_write(const GuardInput& input) {
  if (input.lifecycle.hands_off) return Refusal{"HandsOff", because("hands_off = true", input.lifecycle.reason)};
  if (!input.local_hold.empty()) return Refusal{"Hold", "held on the controller: " + input.local_hold};
  switch (input.lifecycle.state) {
    case LifecycleState::InService:
      break;
    case LifecycleState::Maintenance:
      return Refusal{"Maintenance", because("lifecycle.state = \"maintenance\"", input.lifecycle.reason)};
    case LifecycleState::Retired:
      return Refusal{"Retired", because("lifecycle.state = \"retired\"", input.lifecycle.reason)};
  }
  switch (input.authority.state) {
    case Authority::State::Held:
      break;
    case Authority::State::Starting:
      return Refusal{kNoTerm, because("no term on the status branch yet, observing only", input.authority.detail)};
    case Authority::State::Deposed:
      return Refusal{"Deposed", because("another controller took over", input.authority.detail)};
  }
  switch (input.identity.verdict) {
    case IdentityMatch::Verdict::Matches:
      break;
    case IdentityMatch::Verdict::Differs:
      return Refusal{"WrongMachine", input.identity.reason};
    case IdentityMatch::Verdict::Unreadable:
      return Refusal{"IdentityUnknown", input.identity.reason};
  }
  return std::nullopt;
}

}  // namespace nimbus::controller
