#include "controller/machine/restart_step.hpp"

#include <utility>

namespace nimbus::controller {
namespace {

using reconcilers::RestartProgress;
using Phase = RestartProgress::Phase;

WantedPower wish_of(const Instance& instance) {
  return instance.power == InstancePower::On ? WantedPower::On : WantedPower::Off;
}

}  // namespace

Result<> RestartStep::load() {
  if (progress_) return {};
  const auto published = tools_.published(machine_.machine);
  if (!published.known) return {};
  auto kept = tools_.facts->recall(key());
  if (!kept) return std::move(kept.error());
  auto progress = *kept ? reconcilers::parse_restart_progress(**kept) : std::optional(RestartProgress{});
  if (!progress) return Error{Code::Corrupt, "the journal holds a restart that makes no sense"};
  const bool same = progress->instance == published.instance && progress->done;
  if (!published.instance.empty() && (!progress->done || (same && *progress->done < published.done))) {
    *progress = {
        .instance = published.instance, .done = published.done, .request = published.done, .phase = Phase::Idle};
  }
  progress_ = std::move(progress);
  return {};
}

WantedPower RestartStep::wanted(const Instance& instance) const {
  if (progress_ && progress_->instance == instance.id()) {
    if (progress_->phase == Phase::GoingOff) return WantedPower::Off;
    if (progress_->phase == Phase::GoingOn) return WantedPower::On;
  }
  return wish_of(instance);
}

reconcilers::RestartDecision RestartStep::next(const Instance& instance, PowerState state) const {
  return reconcilers::decide_restart(
      {.instance = instance.id(), .counter = instance.restart, .power = wish_of(instance)}, *progress_, state);
}

Result<> RestartStep::keep(const RestartProgress& progress) {
  if (progress == *progress_) return {};
  if (auto kept = tools_.facts->remember(key(), reconcilers::to_text(progress)); !kept) return kept;
  progress_ = progress;
  return {};
}

}  // namespace nimbus::controller
