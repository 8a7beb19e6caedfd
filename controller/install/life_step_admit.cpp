// When a run may begin: within windows and limits, and counted before anything is done.
#include "controller/install/life_step.hpp"
#include "controller/machine/turns.hpp"

namespace nimbus::controller {

using reconcilers::RunKind;

/// Whether what is on the machine's disks, or runs there, goes with this run.
bool LifeStep::destroys() const { return record_.run->state.kind == RunKind::Erase || reinstalls(); }

/// Why the run may not begin now; empty: it may. Under the lock.
std::string LifeStep::limits() const {
  const WallTime now = tools_.clock.wall();
  const auto load = life_.load_beside(machine_);
  if (!destroys()) return installing_limit(life_.policy_, load);
  const bool erases = record_.run->state.kind == RunKind::Erase;
  const auto* wanted = erases ? nullptr : wish();
  const auto windows = wanted == nullptr ? std::vector<Window>() : wanted->instance.windows;
  if (auto why = closed(life_.policy_, windows, now, tools_.disruption.zones); !why.empty()) {
    return (erases ? "the release " : "the reinstall ") + why;
  }
  if (auto why = installing_limit(life_.policy_, load); !why.empty()) return why;
  return destructive_limit(life_.policy_, load, now);
}

/// Before the first thing that a run does to its machine, switching it off as well. Looked
/// at and counted under one lock: of many runs that come at once, as many begin as may,
/// and the others leave their machines as they are.
Result<> LifeStep::admit() {
  if (record_.run->admitted) return {};
  if (auto refusal = input_.guard()) return Error{Code::Conflict, refusal->message};
  const std::lock_guard lock(life_.mutex_);
  if (auto why = limits(); !why.empty()) return Error{Code::Conflict, std::move(why)};
  const LifeRecord before = record_;
  record_.run->admitted = true;
  if (destroys()) note_destruction(record_, tools_.clock.wall());
  auto kept = keep_locked();
  if (!kept) record_ = before;
  return kept;
}

/// One of so many power-ons a minute. Errors: Conflict (not now).
Result<> LifeStep::power_on_turn() {
  const std::lock_guard lock(life_.mutex_);
  const auto wait = controller::power_on_turn(life_.policy_, tools_.disruption, tools_.clock.wall());
  if (!wait) return {};
  return Error{Code::Conflict, wait->decision.reason};
}

}  // namespace nimbus::controller
