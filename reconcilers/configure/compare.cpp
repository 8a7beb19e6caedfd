#include "reconcilers/configure/compare.hpp"

#include <algorithm>
#include <variant>

#include "reconcilers/configure/primitives.hpp"

namespace nimbus::reconcilers::configure {
namespace {

/// What notifies an action that undid itself was put back with it: trying it again would
/// only try that action again.
std::string held_by(const host::Resource& resource, const host::Facts& shown) {
  for (const auto& id : resource.notifies) {
    if (shown.undone.contains(id)) return id;
  }
  return {};
}

/// It undid itself, and somebody has brought about by hand what it is for: nothing waits for it.
bool is_done_by_hand(const host::Resource& action, const host::Configuration& wanted, const host::Facts& shown,
                     const std::vector<Gap>& gaps) {
  const auto passes = shown.commands.find(action.id);
  if (!std::holds_alternative<host::Action>(action.wanted) || passes == shown.commands.end() || !passes->second) {
    return false;
  }
  // With a file of its own that was put back too it is only as it was before.
  return std::none_of(wanted.resources.begin(), wanted.resources.end(), [&](const host::Resource& each) {
    const auto& told = each.notifies;
    return std::find(told.begin(), told.end(), action.id) != told.end() &&
           std::any_of(gaps.begin(), gaps.end(), [&](const Gap& gap) { return gap.resource == each.id; });
  });
}

}  // namespace

void Check::differs(std::string_view aspect, std::string desired, std::string observed) {
  gap.drifts.push_back({id + "." + std::string(aspect), std::move(desired), std::move(observed), {}});
}

void Check::unknown(std::string why) {
  gap.kind = Gap::Kind::Unknown;
  gap.problem = std::move(why);
}

void Check::unsupported(std::string why) {
  gap.kind = Gap::Kind::Unsupported;
  gap.problem = std::move(why);
}

std::vector<Gap> compare(const host::Configuration& wanted, const host::Facts& shown) {
  std::vector<Gap> out;
  for (const auto& resource : wanted.resources) {
    Check check{resource.id, shown};
    std::visit([&](const auto& it) { configure::check(it, check); }, resource.wanted);
    auto& gap = check.gap;
    if (gap.drifts.empty() && gap.problem.empty()) continue;
    gap.resource = resource.id;
    // What is known to differ can be corrected, whatever else could not be told.
    if (!gap.drifts.empty()) gap.kind = Gap::Kind::Change;
    if (const auto action = held_by(resource, shown); !action.empty()) {
      gap.kind = Gap::Kind::Held;
      gap.problem = action + " was tried with it and undid itself; it waits until the configuration changes";
    }
    out.push_back(std::move(gap));
  }
  for (const auto& resource : wanted.resources) {
    if (!shown.undone.contains(resource.id) || !is_done_by_hand(resource, wanted, shown, out)) continue;
    std::erase_if(out, [&](const Gap& gap) { return gap.resource == resource.id; });
  }
  return out;
}

}  // namespace nimbus::reconcilers::configure
