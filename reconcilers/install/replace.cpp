#include "reconcilers/install/replace.hpp"

namespace nimbus::reconcilers {

std::string replacement_obstacle(const FailureView& view) {
  if (!view.unprotected) {
    return "on_machine_failure = \"replace\" moves an instance only after protected = false was in force and told in "
           "status";
  }
  if (view.replaced >= kMostReplacements)
    return std::to_string(view.replaced) + " machines failed it already; a person must look";
  if (view.other.empty()) return "no other machine fits: " + view.no_other;
  return view.limit;
}

Replacement decide_replacement(const FailureView& view) {
  using Kind = Replacement::Kind;
  if (view.failure.empty() || !view.replace) return {};
  const auto wait = [&](const std::string& why) { return Replacement{Kind::Wait, view.failure + "; " + why}; };
  if (const auto why = replacement_obstacle(view); !why.empty()) return wait(why);
  if (!view.power.is_known()) return wait("not replaced until the machine is seen to be off: " + view.power.reason());
  switch (view.power.value()) {
    case PowerState::Off:
      return {Kind::Replace, view.failure};
    case PowerState::On:
      return {Kind::PowerOff, view.failure + "; switching it off before another machine takes its place"};
    case PowerState::PoweringOn:
    case PowerState::PoweringOff:
      break;
  }
  return wait("not replaced until the machine is seen to be off: power is changing");
}

}  // namespace nimbus::reconcilers
