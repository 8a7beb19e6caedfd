// What is asked for now, and what that means for a machine that is claimed, and for a run
// that waits.
#include "base/log/log.hpp"
#include "controller/install/life_step.hpp"

namespace nimbus::controller {
namespace {

using reconcilers::RunKind;
using reconcilers::RunPhase;

/// Nothing is done to the machine's disks in this phase.
bool is_before_boot(const reconcilers::RunState& state) {
  return state.phase == RunPhase::Intent || state.phase == RunPhase::Prepare;
}

}  // namespace

/// Whether the instance may be erased, as its file says in every commit: also in those that
/// come while a run is under way.
void LifeStep::note_protection() {
  const InstanceWish* wanted = wish();
  if (wanted == nullptr || !record_.displaced.empty()) return;
  const bool open = !wanted->instance.is_protected;
  if (open == record_.unprotected) return;
  const LifeRecord before = record_;
  record_.unprotected = open;
  record_.unprotected_commit = open ? wishes_.commit : std::string();
  if (auto kept = keep(); !kept) {
    record_ = before;
    held_ = kept.error().text();
  }
}

/// The commit that protected it was in force, and there was no pass before the next one.
bool LifeStep::removed_protected() const {
  const std::lock_guard lock(life_.mutex_);
  return life_.removed_protected_.contains(record_.instance);
}

/// An install that waits, and was begun before, of an instance whose file is gone.
bool LifeStep::abandoned() const {
  if (!record_.run || record_.run->state.kind != RunKind::Install) return false;
  return is_before_boot(record_.run->state) && wish() == nullptr;
}

/// What would be erased is still there, and is wanted again: a run that waits ends, as if it
/// had never been. Once its installer was booted nobody knows, and it goes on.
void LifeStep::call_off() {
  const auto& state = record_.run->state;
  if (!is_before_boot(state) || record_.begun || !installed_here() || !record_.displaced.empty()) return;
  const InstanceWish* wanted = wish();
  const bool erases = state.kind == RunKind::Erase;
  const bool asked = erases ? wanted == nullptr
                            : wanted != nullptr && !wanted->instance.is_protected &&
                                  wanted->instance.reinstall > record_.installed->reinstall;
  if (asked) return;
  const LifeRecord before = record_;
  record_.run.reset();
  if (auto kept = keep(); !kept) {
    record_ = before;
    return;
  }
  base::log(base::Level::Warning, "run-called-off", erases ? "the instance is wanted again" : "no reinstall any more",
            {{"machine", machine_}, {"instance", record_.instance}});
}

/// An instance that goes before anything was written for it leaves nothing behind: the
/// claim is dropped, and nothing is erased.
bool LifeStep::drops_claim() {
  if (!untouched(record_) || wish() != nullptr) return false;
  const LifeRecord before = record_;
  drop_claim(record_);
  if (auto kept = keep(); !kept) {
    record_ = before;
    return false;
  }
  base::log(base::Level::Info, "claim-dropped", "the instance is gone, nothing was written", {{"machine", machine_}});
  static_cast<void>(life_.serve(input_.desired.boot.network, input_.call));
  return true;
}

/// A claimed machine without a run: is its instance still wanted, and as it is?
void LifeStep::without_run() {
  if (record_.instance.empty()) return;
  const InstanceWish* wanted = wish();
  if (wanted == nullptr) {
    if (!record_.unprotected || removed_protected()) {
      held_ = "the file of " + record_.instance +
              " is gone, but protected = false was not in force before; nothing is erased";
      return;
    }
    if (!unprotect_published()) {
      held_ = "the file of " + record_.instance + " is gone; waiting until status has told that it was unprotected";
      return;
    }
    begin(RunKind::Erase);
    return;
  }
  const bool again = !record_.run && record_.installed && wanted->instance.reinstall > record_.installed->reinstall;
  if (!again) return;
  if (!record_.unprotected || record_.unprotected_commit == wishes_.commit || !unprotect_published()) {
    held_ = "reinstall was raised, but protected = false was not in force before";
    return;
  }
  begin(RunKind::Install);
}

/// Unprotect first: accepted and told in status before what is destructive may count.
bool LifeStep::unprotect_published() const {
  const auto slash = record_.instance.find('/');
  const std::string path =
      "tenants/" + record_.instance.substr(0, slash) + "/instances/" + record_.instance.substr(slash + 1) + ".toml";
  const auto text = tools_.acknowledged(path);
  if (!text) return false;
  const auto status = registry::parse_instance_status(*text, path);
  return status && !status->unprotected_since.empty();
}

}  // namespace nimbus::controller
