#include "reconcilers/install/decide.hpp"

#include <algorithm>

namespace nimbus::reconcilers {
namespace {

using Kind = RunStep::Kind;

class Decision {
 public:
  Decision(const RunState& run, const RunView& view, const InstallPolicy& policy, WallTime now)
      : run_(run), view_(view), policy_(policy), now_(now) {}

  RunStep decide() {
    switch (run_.phase) {
      case RunPhase::Intent:
        return intent();
      case RunPhase::Prepare:
        return prepare();
      case RunPhase::Booting:
        return booting();
      case RunPhase::Working:
        return working();
      case RunPhase::Handover:
        return handover();
      case RunPhase::Settle:
        return settle();
      case RunPhase::Done:
        return wait("done");
      case RunPhase::Held:
        return wait(run_.held);
    }
    return wait("");
  }

 private:
  RunStep wait(std::string reason) const { return {Kind::Wait, run_.phase, std::move(reason), false}; }
  RunStep go(Kind kind, RunPhase phase, std::string reason) const { return {kind, phase, std::move(reason), false}; }
  RunStep hold(std::string reason, bool by_machine = false) const {
    return {Kind::Hold, RunPhase::Held, std::move(reason), by_machine};
  }
  bool late(std::chrono::milliseconds deadline) const { return now_ - run_.since > deadline; }
  /// Whether power was switched in this phase: sent once, and then waited for.
  bool switched() const { return run_.powered > run_.since; }
  bool is(PowerState state) const { return view_.power.is_known() && view_.power.value() == state; }

  RunStep again(const std::string& why) const {
    if (run_.attempt >= policy_.most_attempts) {
      return hold(why + "; given up after " + std::to_string(run_.attempt) + " attempts", true);
    }
    return go(Kind::Again, RunPhase::Intent, why);
  }

  RunStep intent() const {
    if (view_.intent_pushed) return go(Kind::Wait, RunPhase::Prepare, "intent is on the status branch");
    if (late(policy_.intent_deadline)) return hold("the intent could not be pushed to the status branch");
    return go(Kind::PushIntent, RunPhase::Intent, "waiting for the status branch to take the intent");
  }

  /// Nothing was done to the machine yet, so there is nothing to hold: it goes on when the image is there.
  RunStep image() const {
    RunStep step = wait(view_.image);
    step.overdue = run_.image_since != WallTime{} && now_ - run_.image_since > policy_.image_deadline;
    if (step.overdue) step.reason = "no image within image_deadline; it is tried on: " + view_.image;
    return step;
  }

  RunStep prepare() const {
    if (!view_.refusal.empty()) return wait(view_.refusal);
    if (!view_.image.empty()) return image();
    if (!view_.power.is_known()) return wait("power is not known: " + view_.power.reason());
    if (is(PowerState::Off)) return go(Kind::Boot, RunPhase::Booting, "booting the installer");
    if (is(PowerState::On) && switched()) {
      if (now_ - run_.powered > policy_.power_deadline) return again("the machine does not switch off");
      return wait("waiting for power-off");
    }
    if (is(PowerState::On)) return go(Kind::PowerOff, RunPhase::Prepare, "switching off before the installer");
    return wait("power is changing");
  }

  RunStep booting() const {
    if (view_.told == Told::Failed) return failed();
    if (view_.told == Told::Finished) return finished();
    if (view_.told >= Told::CheckedIn) return go(Kind::Wait, RunPhase::Working, "the installer has checked in");
    if (late(policy_.boot_deadline)) {
      return again(view_.told == Told::AskedForScript ? "the machine asked for its boot script, and then nothing more"
                                                      : "the machine did not boot from the network");
    }
    // Switched on is what was sent, not what happened: the BMC may have lost it, or this
    // program may have ended in between.
    if (is(PowerState::Off) && now_ - run_.powered > policy_.settle) {
      return again("the machine is off before the installer checked in");
    }
    return wait("waiting for the installer to check in");
  }

  RunStep working() const {
    if (view_.told == Told::Failed) return failed();
    if (view_.told == Told::Finished) return finished();
    if (is(PowerState::Off)) return again("the machine went off while the installer worked");
    if (view_.restarted) return again("the machine started again while the installer worked");
    if (run_.kind == RunKind::Install && view_.silent && *view_.silent > policy_.silence_deadline) {
      return again("nothing more was heard of the installer");
    }
    if (view_.silent.value_or(now_ - run_.since) > policy_.work_deadline) {
      return hold("nothing more was heard of the installer");
    }
    return wait(run_.kind == RunKind::Install ? "the image is being written" : "disks are being erased");
  }

  RunStep failed() const {
    return hold("the installer refused or failed: " + (view_.message.empty() ? "no reason given" : view_.message));
  }

  RunStep finished() const {
    if (run_.kind == RunKind::Install) return go(Kind::AskSsh, RunPhase::Handover, "installed; waiting for SSH");
    return go(Kind::Wait, RunPhase::Settle, "erased; waiting for power-off");
  }

  RunStep handover() const {
    switch (view_.ssh) {
      case SshAnswer::ExpectedKey:
        return go(Kind::Finish, RunPhase::Done, "SSH answers with the reported host key");
      case SshAnswer::OtherKey:
        return hold("SSH answers with another host key than the installer reported");
      case SshAnswer::NotAsked:
      case SshAnswer::Silent:
        break;
    }
    if (late(policy_.handover_deadline)) return hold("the installed system does not answer over SSH");
    // It lost power on the way to its disk, which is complete.
    if (is(PowerState::Off) && now_ - std::max(run_.since, run_.powered) > policy_.settle) {
      return go(Kind::PowerOn, RunPhase::Handover, "the machine is off; switching it on, its disk is installed");
    }
    return go(Kind::AskSsh, RunPhase::Handover, "waiting for the installed system");
  }

  RunStep settle() const {
    if (is(PowerState::Off)) return go(Kind::Finish, RunPhase::Done, "erased");
    if (late(policy_.power_deadline)) {
      if (late(3 * policy_.power_deadline)) return hold("the machine does not switch off after it was erased");
      if (switched()) return wait("waiting for power-off");
      return go(Kind::PowerOff, RunPhase::Settle, "switching off after erasing");
    }
    return wait("waiting for power-off");
  }

  const RunState& run_;
  const RunView& view_;
  const InstallPolicy& policy_;
  const WallTime now_;
};

}  // namespace

RunStep decide_run(const RunState& run, const RunView& view, const InstallPolicy& policy, WallTime now) {
  return Decision(run, view, policy, now).decide();
}

}  // namespace nimbus::reconcilers
