#include "controller/commit_verdict.hpp"

#include <string>

#include <fmt/core.h>

namespace nimbus::controller {

CommitStatus commit_status(const AcceptedRegistry& registry) {
  using enum AcceptedRegistry::State;
  using State = CommitStatus::State;
  CommitStatus status{.commit = registry.observed_commit, .state = State::Success, .description = {}};
  const std::string first = registry.problems.empty()
                                ? std::string()
                                : fmt::format(": {}:{}: {}", registry.problems.front().file,
                                              registry.problems.front().line, registry.problems.front().message);
  switch (registry.state) {
    case Accepted:
      status.description =
          fmt::format("in force: {} machine{}", registry.machines.size(), registry.machines.size() == 1 ? "" : "s");
      break;
    case Partly:
      status.state = State::Failure;
      status.description = fmt::format("in force except {} problem{}{}", registry.problems.size(),
                                       registry.problems.size() == 1 ? "" : "s", first);
      break;
    case Refused:
      status.state = State::Failure;
      status.description = "refused" + first;
      break;
    case Held:
      status.state = State::Pending;
      status.description = registry.held_plan.empty()
                               ? "held" + first
                               : "held until plan " + registry.held_plan.substr(0, 12) + " is approved";
      break;
  }
  return status;
}

}  // namespace nimbus::controller
