#include "controller/machine/pass.hpp"

#include <utility>

namespace nimbus::controller {
namespace {

using DecisionKind = reconcilers::PowerDecision::Kind;

class Pass {
 public:
  Pass(const PassWish& wish, MachineMemory& memory, const PassTools& tools, std::stop_token stop)
      : desired_(wish.desired),
        commit_(wish.commit),
        memory_(memory),
        tools_(tools),
        call_{tools.clock.now() + tools.deadline, std::move(stop)} {}

  MachineReport run() {
    report_.local_hold = tools_.local_hold(desired_.id.machine);
    if (!load_journal() || !attach() || !observe()) return finish_unread();
    memory_.failures = 0;
    decide();
    if (report_.decision.kind == DecisionKind::Act && permitted()) act();
    return std::move(report_);
  }

 private:
  bool fail(Error error, std::string_view doing) {
    report_.error = std::move(error).with("while " + std::string(doing));
    return false;
  }

  bool load_journal() {
    auto loaded = memory_.runs.load();
    return loaded || fail(std::move(loaded.error()), "loading earlier runs");
  }

  bool attach() {
    if (memory_.bmc && memory_.endpoint == desired_.bmc) return true;
    if (memory_.bmc) memory_.bmc->close(call_);
    memory_.bmc.reset();
    memory_.identity.reset();
    auto bmc = tools_.attach(desired_.bmc);
    if (!bmc) return fail(std::move(bmc.error()), "preparing the BMC connection");
    memory_.bmc = std::move(*bmc);
    memory_.endpoint = desired_.bmc;
    return true;
  }

  bool observe() {
    BmcPower* power = memory_.bmc->power();
    if (power == nullptr) {
      report_.power = Observed<PowerState>::unsupported();
      return true;
    }
    auto state = power->power(call_);
    if (!state) return fail(std::move(state.error()), "reading the power state");
    const WallTime now = tools_.clock.wall();
    report_.power = Observed<PowerState>::known(*state, now);
    const bool transitional = *state == PowerState::PoweringOn || *state == PowerState::PoweringOff;
    if (!transitional) memory_.transition_since.reset();
    if (transitional && !memory_.transition_since) memory_.transition_since = now;
    auto noted = memory_.runs.observed(*state, desired_.power, now);
    if (!noted) return fail(std::move(noted.error()), "closing a run in the journal");
    return identify(Freshness::OncePerSession);
  }

  enum class Freshness { OncePerSession, Now };

  /// Reads who the machine is; the verdict goes into the report. An identity that
  /// cannot be read is a verdict ("observe only"), not a failed pass.
  bool identify(Freshness freshness) {
    BmcIdentity* aspect = memory_.bmc->identity();
    if (aspect == nullptr) {
      report_.match = {IdentityMatch::Verdict::Unreadable, "this driver cannot read an identity"};
      return true;
    }
    if (freshness == Freshness::Now || !memory_.identity || memory_.identified_session != aspect->session()) {
      memory_.identity.reset();
      auto identity = aspect->identity(call_);
      if (!identity) {
        report_.match = {IdentityMatch::Verdict::Unreadable, "identity: " + identity.error().text()};
        return true;
      }
      memory_.identified_session = aspect->session();
      memory_.identity = std::move(*identity);
    }
    report_.identity = *memory_.identity;
    report_.match = match_identity(desired_.identity, *memory_.identity);
    return true;
  }

  void decide() {
    const WallTime now = tools_.clock.wall();
    auto history = memory_.runs.history(desired_.power, desired_.digest, tools_.power, now);
    history.transition_since = memory_.transition_since;
    report_.decision = reconcilers::decide_power(desired_.power, desired_.enforcement, report_.power, history,
                                                 tools_.power, now);
  }

  bool permitted() {
    // What was true when the session began may not be true now: read it again.
    identify(Freshness::Now);
    report_.local_hold = tools_.local_hold(desired_.id.machine);
    report_.refusal = guard_write({.authority = tools_.authority(),
                                   .lifecycle = desired_.lifecycle,
                                   .identity = report_.match,
                                   .local_hold = report_.local_hold});
    if (call_.stop.stop_requested() && !report_.refusal) {
      report_.refusal = Refusal{"Stopping", "the controller is shutting down"};
    }
    return !report_.refusal;
  }

  void act() {
    const PowerAction action = report_.decision.action;
    auto begun = memory_.runs.begin(action, report_.decision.reason, commit_, desired_.digest, tools_.clock.wall());
    if (!begun) {
      fail(std::move(begun.error()), "preparing " + std::string(to_string(action)));
      return;
    }
    report_.sent = action;
    auto outcome = memory_.bmc->power()->act(action, call_);
    if (!outcome) {
      settle_failure(std::move(outcome.error()), action);
      return;
    }
    observe_again();
  }

  /// A write that certainly did not happen closes its run; one that may have
  /// happened stays open, and the next looks decide what became of it.
  void settle_failure(Error error, PowerAction action) {
    const bool not_sent = error.code == Code::Auth || error.code == Code::Untrusted ||
                          error.code == Code::Unsupported || error.code == Code::Invalid ||
                          error.code == Code::Conflict || error.code == Code::Unreachable;
    if (not_sent) {
      report_.sent.reset();
      if (auto closed = memory_.runs.fail(error.text(), tools_.clock.wall()); !closed) {
        fail(std::move(closed.error()), "closing a run in the journal");
        return;
      }
    }
    fail(std::move(error), "sending " + std::string(to_string(action)));
  }

  /// Many BMCs show the effect at once; the others are looked at again later.
  void observe_again() {
    auto state = memory_.bmc->power()->power(call_);
    if (!state) return;  // the open run makes the next pass come soon
    const WallTime now = tools_.clock.wall();
    report_.power = Observed<PowerState>::known(*state, now);
    if (auto noted = memory_.runs.observed(*state, desired_.power, now); !noted) {
      fail(std::move(noted.error()), "closing a run in the journal");
      return;
    }
    decide();
  }

  MachineReport finish_unread() {
    memory_.failures += 1;
    report_.power = Observed<PowerState>::unknown(report_.error ? report_.error->text() : "not read");
    report_.decision = {.kind = DecisionKind::Unknown, .reason = report_.power.reason()};
    report_.match = {IdentityMatch::Verdict::Unreadable, "the BMC could not be read"};
    return std::move(report_);
  }

  const DesiredMachine& desired_;
  const std::string& commit_;
  MachineMemory& memory_;
  const PassTools& tools_;
  const Call call_;
  MachineReport report_;
};

}  // namespace

MachineReport run_pass(const PassWish& wish, MachineMemory& memory, const PassTools& tools, std::stop_token stop) {
  return Pass(wish, memory, tools, std::move(stop)).run();
}

}  // namespace nimbus::controller
