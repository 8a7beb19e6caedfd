// on_machine_failure: an instance whose machine failed, and the machine that it left.
#include "base/log/log.hpp"
#include "controller/install/life_step.hpp"
#include "reconcilers/install/replace.hpp"

namespace nimbus::controller {
namespace {

using reconcilers::Replacement;
using reconcilers::RunKind;
using reconcilers::RunPhase;

}  // namespace

/// Why this machine cannot carry its instance; empty: it does, or nobody knows better.
std::string LifeStep::failure() const {
  if (record_.run) {
    const auto& state = record_.run->state;
    const bool failed = state.kind == RunKind::Install && state.phase == RunPhase::Held && state.by_machine;
    return failed ? machine_ + " failed: " + state.held : std::string();
  }
  const bool off = input_.power.is_known() && input_.power.value() == PowerState::Off;
  return off && !input_.given_up.empty() ? machine_ + " does not switch on: " + input_.given_up : std::string();
}

/// The power as it is now, if the machine is the declared one and may be judged.
Observed<PowerState> LifeStep::power_now() {
  if (auto refusal = input_.guard()) return Observed<PowerState>::unknown(refusal->message);
  auto state = input_.bmc.power()->power(input_.call);
  if (!state) return Observed<PowerState>::unknown(state.error().text());
  return Observed<PowerState>::known(*state, tools_.clock.wall());
}

void LifeStep::replace_if_failed() {
  const auto* wanted = wish();
  if (wanted == nullptr || input_.desired.lifecycle.state != LifecycleState::InService) return;
  reconcilers::FailureView view{.failure = failure(),
                                .replace = wanted->instance.on_machine_failure == OnMachineFailure::Replace,
                                .unprotected = record_.unprotected && unprotect_published(),
                                .other = {},
                                .no_other = {},
                                .limit = {}};
  if (view.failure.empty() || !view.replace) return;
  {
    const std::lock_guard lock(life_.mutex_);
    view.replaced = life_.displaced_for(record_.instance);
    const auto instead = life_.machine_instead(record_.instance, *wanted);
    view.other = instead.machine;
    view.no_other = instead.none;
    view.limit = destructive_limit(life_.policy_, life_.load_beside(machine_), tools_.clock.wall());
  }
  if (reconcilers::replacement_obstacle(view).empty()) view.power = power_now();
  const auto next = reconcilers::decide_replacement(view);
  held_ = next.reason;
  if (next.kind == Replacement::Kind::PowerOff) switch_off();
  if (next.kind == Replacement::Kind::Replace) displace(next.reason);
}

/// Without a run it is asked for at each look, which are rare.
void LifeStep::switch_off() {
  const bool lately = record_.run && tools_.clock.wall() - record_.run->state.powered < tools_.policy.power_deadline;
  if (lately) return;
  if (auto sent = switch_power(PowerAction::HardOff); !sent) held_ += "; " + sent.error().text();
}

/// It is off: the instance is free to be placed again, by the journal's next word.
void LifeStep::displace(const std::string& why) {
  const LifeRecord before = record_;
  record_.displaced = record_.instance + " went to another machine: " + why;
  record_.serviced = false;
  if (record_.run) {
    record_.last_run = run_record();
    record_.last_run->outcome = registry::RunRecordOutcome::Failed;
    record_.last_run->finished = record_.run->state.since;
    record_.last_run->message = record_.run->state.held;
  }
  record_.run.reset();
  note_destruction(record_, tools_.clock.wall());
  if (auto kept = keep(); !kept) {
    record_ = before;
    held_ = kept.error().text();
    return;
  }
  base::log(base::Level::Warning, "displaced", why, {{"machine", machine_}, {"instance", record_.instance}});
  static_cast<void>(life_.serve(input_.desired.boot.network, input_.call));
}

/// A machine that its instance left: kept off, as its disk would boot a second one, and
/// erased once it has been in maintenance: a person has looked.
void LifeStep::keep_aside() {
  held_ = record_.displaced + "; its disks are as they were. Repair it, then lifecycle.state = \"maintenance\" and " +
          "back erases it and offers it again";
  const auto state = input_.desired.lifecycle.state;
  if (state == LifecycleState::Maintenance && !record_.serviced) {
    record_.serviced = true;
    static_cast<void>(keep());
  }
  if (state != LifecycleState::InService) return;
  if (record_.serviced) return begin(RunKind::Erase);
  if (input_.power.is_known() && input_.power.value() == PowerState::On) switch_off();
}

}  // namespace nimbus::controller
