// A machine between two owners: what it was like before, whether it is so again, and what
// a person's repair changes.
#include <algorithm>

#include "base/log/log.hpp"
#include "controller/install/life_step.hpp"

namespace nimbus::controller {
namespace {

using reconcilers::RunKind;
using reconcilers::RunPhase;
constexpr int kMostLooks = 3;

}  // namespace

/// A run that was held begins anew once the machine has been in maintenance: somebody has
/// looked. Not one whose journal was lost: nobody knows how far it came.
void LifeStep::renew() {
  auto& run = *record_.run;
  if (run.state.phase != RunPhase::Held || run.nonce == kLostNonce) return;
  const auto state = input_.desired.lifecycle.state;
  if (state == LifecycleState::Maintenance && !run.serviced) {
    run.serviced = true;
    static_cast<void>(keep());
  }
  const bool wanted = run.state.kind == RunKind::Erase || wish() != nullptr;
  if (state != LifecycleState::InService || !run.serviced || !wanted) return;
  // What was missing was put back, and is erased now, or is gone for good.
  std::erase_if(record_.disks, [&](const auto& disk) {
    return std::any_of(record_.erases.begin(), record_.erases.end(),
                       [&](const auto& erase) { return erase.disk == disk && erase.method == kAbsent; });
  });
  base::log(base::Level::Info, "run-renewed", "the machine is back from maintenance", {{"machine", machine_}});
  begin(run.state.kind);
}

void LifeStep::record_console() {
  if (tools_.consoles == nullptr) return;
  constexpr std::chrono::seconds kMost{5};  // nobody waits longer for that
  const Call call{std::min<MonoTime>(input_.call.deadline, tools_.clock.now() + kMost), input_.call.stop};
  tools_.consoles->begin(machine_, input_.bmc, call);
}

/// Before the first write for an instance: what BMC and firmware are like. False: not yet.
bool LifeStep::note_baseline() {
  auto& run = *record_.run;
  const bool due = run.state.kind == RunKind::Install && run.state.phase == RunPhase::Prepare &&
                   run.state.attempt == 1 && !record_.installed && !record_.baseline;
  if (!due) return true;
  auto baseline = read_baseline(input_.bmc, input_.call);
  if (!baseline) {
    waits_ = baseline.error().text();
    if (++run.failures < kMostLooks) {
      static_cast<void>(keep());
      return false;
    }
    base::log(base::Level::Warning, "no-baseline", waits_, {{"machine", machine_}});
    baseline = Baseline{};
  }
  run.failures = 0;
  record_.baseline = std::move(*baseline);
  auto kept = keep();
  if (!kept) waits_ = kept.error().text();
  return kept.has_value();
}

/// Erased: the machine is offered again when the rest of it is as it was.
Result<> LifeStep::return_machine() {
  const bool accept = input_.desired.lifecycle.state == LifecycleState::Maintenance;
  auto back = hand_back(
      input_.bmc, record_.baseline, accept, [this](const auto& act) { return guarded(act); }, input_.call);
  if (back.accepted) record_.baseline->accounts = std::move(back.accepted);
  const bool news = record_.checks != back.checks;
  record_.checks = std::move(back.checks);
  if (back.missing.empty()) return finish();
  quarantine_ = waits_ = "erased, but not offered: " + back.missing;
  if (!news) return {};
  base::log(base::Level::Warning, "run-quarantine", back.missing, {{"machine", machine_}});
  return keep();
}

}  // namespace nimbus::controller
