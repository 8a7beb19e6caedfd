#include "controller/machine/power_runs.hpp"

namespace nimbus::controller {
namespace {

PowerState goal_of(PowerAction action) noexcept {
  switch (action) {
    case PowerAction::On:
    case PowerAction::Reset:
      return PowerState::On;
    case PowerAction::SoftOff:
    case PowerAction::HardOff:
      return PowerState::Off;
  }
  return PowerState::Off;
}

bool serves(PowerAction action, WantedPower wanted) noexcept {
  switch (wanted) {
    case WantedPower::Unmanaged:
      return false;
    case WantedPower::On:
      return goal_of(action) == PowerState::On;
    case WantedPower::Off:
      return goal_of(action) == PowerState::Off;
  }
  return false;
}

}  // namespace

Result<> PowerRuns::load() {
  if (loaded_) return {};
  auto runs = log_.last_runs(machine_, kKept);
  if (!runs) return std::move(runs.error()).with("while reading the journal of " + machine_.text());
  runs_ = std::move(*runs);
  loaded_ = true;
  return {};
}

Run* PowerRuns::open() noexcept {
  return !runs_.empty() && runs_.front().outcome == RunOutcome::Pending ? &runs_.front() : nullptr;
}

const Run* PowerRuns::open() const noexcept {
  return !runs_.empty() && runs_.front().outcome == RunOutcome::Pending ? &runs_.front() : nullptr;
}

reconcilers::PowerHistory PowerRuns::history(WantedPower wanted, const std::string& digest,
                                             const reconcilers::PowerPolicy& policy, WallTime now) const {
  reconcilers::PowerHistory history;
  if (const Run* run = open()) history.last = {run->action, run->started};
  // Attempts in a row for the same wish; any other run in between starts anew.
  for (const auto& run : runs_) {
    if (never_sent_.contains(run.id)) continue;
    if (!serves(run.action, wanted) || run.digest != digest) break;
    if (now - run.started > policy.attempts_window) break;
    history.attempts += 1;
  }
  return history;
}

Result<> PowerRuns::observed(PowerState state, WantedPower wanted, WallTime now) {
  const Run* run = open();
  if (run == nullptr) return {};
  if (state == goal_of(run->action)) return close(RunOutcome::Done, "", now);
  if (!serves(run->action, wanted)) return close(RunOutcome::Unknown, "no longer wanted", now);
  return {};
}

Result<> PowerRuns::begin(PowerAction action, const std::string& reason, const std::string& commit,
                          const std::string& digest, WallTime now) {
  if (auto closed = close(RunOutcome::Failed, "no effect was seen", now); !closed) return closed;
  Run run;
  run.action = action;
  run.reason = reason;
  run.commit = commit;
  run.digest = digest;
  run.started = now;
  auto id = log_.begin(machine_, run);
  if (!id) return std::move(id.error()).with("while writing the intent to the journal");
  run.id = *id;
  runs_.insert(runs_.begin(), std::move(run));
  if (runs_.size() > kKept) runs_.pop_back();
  return {};
}

Result<> PowerRuns::fail(const std::string& detail, Attempt attempt, WallTime now) {
  if (const Run* run = open(); run != nullptr && attempt == Attempt::NeverSent) {
    if (never_sent_.size() >= kKept) never_sent_.erase(never_sent_.begin());
    never_sent_.insert(run->id);
  }
  return close(RunOutcome::Failed, detail, now);
}

Result<> PowerRuns::close(RunOutcome outcome, const std::string& detail, WallTime now) {
  Run* run = open();
  if (run == nullptr) return {};
  if (auto written = log_.finish(run->id, outcome, detail, now); !written) return written;
  run->outcome = outcome;
  run->detail = detail;
  run->finished = now;
  return {};
}

}  // namespace nimbus::controller
