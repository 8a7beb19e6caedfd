#include "controller/machine/pass.hpp"

#include <algorithm>
#include <utility>

#include "controller/machine/permitted_write.hpp"
#include "controller/machine/restart_step.hpp"
#include "controller/machine/turns.hpp"
#include "core/ports/bmc_hints.hpp"
#include "reconcilers/firmware/decide.hpp"
#include "reconcilers/inspection/compare.hpp"

namespace nimbus::controller {
namespace {

using DecisionKind = reconcilers::PowerDecision::Kind;

class Pass {
 public:
  Pass(const PassWish& wish, MachineMemory& memory, const PassTools& tools, std::stop_token stop)
      : desired_(wish.desired),
        commit_(wish.commit),
        instance_(wish.instance != nullptr ? wish.instance : memory.placed.get()),
        policy_(wish.policy),
        memory_(memory),
        tools_(tools),
        call_{tools.clock.now() + tools.deadline, std::move(stop)} {}

  MachineReport run() {
    report_.local_hold = tools_.local_hold(desired_.id.machine);
    if (!load_journal() || !attach() || !observe()) return finish_unread();
    memory_.breaker.answered(took_);
    listen();
    if (!live() && plan_restart() && continue_firmware()) {
      decide();
      if (report_.decision.kind == DecisionKind::Act && permitted()) act();
    }
    look_inside();
    return std::move(report_);
  }

 private:
  bool fail(Error error, std::string_view doing) {
    report_.error = std::move(error).with("while " + std::string(doing));
    return false;
  }

  /// What goes on besides power. True: a run has the machine, and power is its business.
  bool live() {
    if (tools_.life == nullptr || memory_.bmc->power() == nullptr) return false;
    const auto guard = [this] {
      permitted();
      return report_.refusal;
    };
    report_.life = tools_.life->step({.desired = desired_,
                                      .commit = commit_,
                                      .bmc = *memory_.bmc,
                                      .power = report_.power,
                                      .match = report_.match,
                                      .given_up = memory_.given_up,
                                      .guard = guard,
                                      .call = call_});
    if (memory_.placed.get() == instance_) instance_ = nullptr;  // as the life says now
    memory_.placed = report_.life ? report_.life->instance : nullptr;
    if (instance_ == nullptr) instance_ = memory_.placed.get();
    wanted_ = wanted_now();
    if (!report_.life || !report_.life->busy) return false;
    report_.decision = {.kind = DecisionKind::Wait,
                        .action = {},
                        .reason = report_.life->waits,
                        .look_again = report_.life->look_again};
    return true;
  }

  bool load_journal() {
    auto loaded = memory_.runs.load();
    return loaded || fail(std::move(loaded.error()), "loading earlier runs");
  }

  bool attach() {
    if (memory_.bmc && memory_.endpoint == desired_.bmc) return true;
    if (memory_.bmc) memory_.bmc->close(call_);
    memory_.bmc.reset();
    memory_.identity = {};
    memory_.polled.reset();
    memory_.inspection.forget();
    auto bmc = tools_.attach(desired_.bmc);
    if (!bmc) return fail(std::move(bmc.error()), "preparing the BMC connection");
    memory_.bmc = std::move(*bmc);
    memory_.endpoint = desired_.bmc;
    return true;
  }

  /// Hints are a help only: why there are none does not matter.
  void listen() {
    BmcHints* const hints = memory_.bmc->hints();
    if (hints == nullptr || !tools_.hinted) return;
    (void)hints->listen([hinted = tools_.hinted, machine = desired_.id.machine] { hinted(machine); }, call_);
  }

  bool observe() {
    BmcPower* power = memory_.bmc->power();
    if (power == nullptr) {
      report_.power = Observed<PowerState>::unsupported();
      return true;
    }
    auto state = first_answer(*power);
    if (!state) return fail(std::move(state.error()), "reading the power state");
    const WallTime now = tools_.clock.wall();
    report_.power = Observed<PowerState>::known(*state, now);
    if (tools_.inspections != nullptr) memory_.inspection.saw(*state, now, *tools_.inspections);
    const bool transitional = *state == PowerState::PoweringOn || *state == PowerState::PoweringOff;
    memory_.transition_since = transitional ? std::optional(memory_.transition_since.value_or(now)) : std::nullopt;
    if (!load_cycles()) return false;
    wanted_ = wanted_now();
    auto noted = memory_.runs.observed(*state, wanted_, now);
    if (!noted) return fail(std::move(noted.error()), "closing a run in the journal");
    identify(Freshness::OncePerSession);
    return true;
  }

  /// What a batch has just read, else asked for; waits as long as the breaker allows.
  Result<PowerState> first_answer(BmcPower& power) {
    auto& breaker = memory_.breaker;
    const MonoTime start = tools_.clock.now();
    const auto polled = std::exchange(memory_.polled, std::nullopt);
    const bool fresh = polled && polled->state && start - polled->at <= PolledPower::kFresh;
    const auto patience = start + breaker.patience(tools_.deadline);
    auto state = fresh ? polled->state
                       : power.power({.deadline = std::min<MonoTime>(patience, call_.deadline), .stop = call_.stop});
    took_ = tools_.clock.now() - start;
    if (!state && state.error().code == Code::Timeout) {
      report_.put_off = breaker.silent(tools_.deadline) == BmcBreaker::Verdict::PutOff;
      judged_ = true;
    }
    return state;
  }

  void identify(Freshness freshness) {
    report_.match = controller::identify(*memory_.bmc, desired_.identity, freshness, memory_.identity, call_);
    if (memory_.identity.identity) report_.identity = *memory_.identity.identity;
  }

  // Inspection and firmware settings ------------------------------------------

  bool settled() const {
    const auto kind = report_.decision.kind;
    const bool busy = report_.life && report_.life->busy;
    return (kind == DecisionKind::Nothing || kind == DecisionKind::Report) && !busy && !report_.error &&
           !report_.sent && report_.match.verdict == IdentityMatch::Verdict::Matches;
  }

  /// Inspects if it is time and there is nothing better to do; tells what is known.
  void look_inside() {
    if (tools_.inspections == nullptr) return;
    auto& inspection = memory_.inspection;
    if (report_.power.is_known()) inspection.saw(report_.power.value(), tools_.clock.wall(), *tools_.inspections);
    const Call call{tools_.clock.now() + tools_.deadline, call_.stop};
    if (settled()) {
      inspection.read_if_due(*memory_.bmc, desired_, *tools_.inspections, tools_.clock.wall(), call);
      if (inspection.settings_are_fresh(desired_.digest)) improve_firmware(call);
    }
    if (inspection.known() == nullptr) return;
    const auto& seen = *inspection.known();
    report_.inspected = true;
    report_.hardware = inspection.record();
    report_.clock_off = seen.clock_off;
    if (seen.inventory) report_.drifts = reconcilers::compare_hardware(desired_, *seen.inventory);
    const auto settings = reconcilers::compare_firmware(desired_, {.bios = seen.bios, .secure_boot = seen.secure_boot});
    report_.drifts.insert(report_.drifts.end(), settings.begin(), settings.end());
  }

  FirmwareTools firmware_tools() const {
    return {.clock = tools_.clock,
            .facts = *tools_.disruption.facts,
            .reboots = tools_.disruption.reboots,
            .zones = tools_.disruption.zones,
            .note = tools_.note};
  }

  void improve_firmware(const Call& call) {
    if (tools_.disruption.facts == nullptr || !report_.power.is_known() || memory_.firmware.under_way()) return;
    const auto guard = [this] {
      permitted();
      return std::exchange(report_.refusal, std::nullopt);
    };
    const auto tools = firmware_tools();
    auto decision = FirmwareStep(desired_, tools, memory_.firmware)
                        .improve({.bmc = *memory_.bmc,
                                  .inspection = memory_.inspection,
                                  .instance = instance_,
                                  .policy = policy_,
                                  .power = report_.power.value(),
                                  .guard = guard,
                                  .call = call});
    if (!decision) {
      fail(std::move(decision.error()), "bringing firmware settings about");
      return;
    }
    using Kind = reconcilers::FirmwareDecision::Kind;
    report_.firmware = std::move(*decision);
    const auto kind = report_.firmware->kind;
    if (kind == Kind::Stage || kind == Kind::Restart) report_.decision.look_again = tools_.clock.wall();
  }

  /// A restart for the sake of firmware settings that is under way.
  bool continue_firmware() {
    if (tools_.disruption.facts == nullptr || cycling_ || !report_.power.is_known()) return true;
    const auto tools = firmware_tools();
    auto wants =
        FirmwareStep(desired_, tools, memory_.firmware).continue_cycle(report_.power.value(), memory_.inspection);
    if (!wants) return fail(std::move(wants.error()), "continuing a restart");
    cycling_ = wants->has_value();
    wanted_ = wanted_now();
    return true;
  }

  // Restarts -----------------------------------------------------------------

  bool restarts() const { return instance_ != nullptr && tools_.disruption.facts != nullptr; }
  RestartStep restart_step() { return {desired_.id, tools_.disruption, memory_.restart}; }

  /// What the journal knows of cycles, read once.
  bool load_cycles() {
    if (tools_.disruption.facts == nullptr) return true;
    const auto tools = firmware_tools();
    auto loaded = FirmwareStep(desired_, tools, memory_.firmware).load();
    if (loaded && instance_ != nullptr) loaded = restart_step().load();
    return loaded || fail(std::move(loaded.error()), "loading earlier restarts");
  }

  /// What is wanted of the power, a cycle under way included.
  WantedPower wanted_now() {
    using Phase = reconcilers::RestartProgress::Phase;
    if (memory_.firmware.under_way()) {
      return memory_.firmware.cycle->phase == Phase::GoingOff ? WantedPower::Off : WantedPower::On;
    }
    return instance_ == nullptr ? desired_.power : restart_step().wanted(*instance_);
  }

  /// Begins, continues or ends a power cycle: keeps the step before anything is sent.
  /// False: a cycle should begin and may not yet; the report says why.
  bool plan_restart() {
    if (!restarts() || !memory_.restart || !report_.power.is_known()) return true;
    const auto next = restart_step().next(*instance_, report_.power.value());
    report_.restart = memory_.restart;
    if (next.begins && !may_disrupt()) return false;
    if (auto kept = restart_step().keep(next.progress); !kept) {
      return fail(std::move(kept.error()), "keeping a restart in the journal");
    }
    report_.restart = memory_.restart;
    const bool over = !next.power && !memory_.firmware.under_way();
    if (over && tools_.disruption.reboots != nullptr) tools_.disruption.reboots->end(desired_.id.machine);
    cycling_ = next.power.has_value();
    wanted_ = wanted_now();
    return true;
  }

  /// Whether a reboot may start now: the guard, the windows, the budget.
  bool may_disrupt() {
    if (!permitted()) {
      report_.decision = {.kind = DecisionKind::Wait, .reason = report_.refusal->message};
      return false;
    }
    if (policy_ == nullptr) return true;
    auto wait = restart_turn(desired_.id.machine, *instance_, *policy_, tools_.disruption, tools_.clock.wall());
    return !wait || not_now(std::move(*wait));
  }

  bool not_now(NotNow wait) {
    report_.decision = std::move(wait.decision);
    if (wait.refusal) report_.refusal = std::move(wait.refusal);
    return false;
  }

  void decide() {
    const WallTime now = tools_.clock.wall();
    auto history = memory_.runs.history(wanted_, desired_.digest, tools_.power, now);
    history.transition_since = memory_.transition_since;
    // A cycle is what the instance itself asks for.
    const auto enforcement = cycling_ ? Enforcement::Enforce : desired_.enforcement;
    report_.decision = reconcilers::decide_power(wanted_, enforcement, report_.power, history, tools_.power, now);
    const bool given_up = wanted_ == WantedPower::On && report_.decision.kind == DecisionKind::Hold;
    memory_.given_up = given_up ? report_.decision.reason : std::string();
  }

  bool permitted() {
    // What was true when the session began may not be true now: read it again.
    identify(Freshness::Now);
    // The forge takes its time: brakes are looked at after it.
    const Authority authority = tools_.authority();
    report_.local_hold = tools_.local_hold(desired_.id.machine);
    report_.refusal = guard_write({.authority = authority,
                                   .lifecycle = desired_.lifecycle,
                                   .identity = report_.match,
                                   .local_hold = report_.local_hold});
    if (!report_.refusal) report_.refusal = tools_.superseded();
    if (call_.stop.stop_requested() && !report_.refusal) {
      report_.refusal = Refusal{"Stopping", "the controller is shutting down"};
    }
    permitted_at_ = tools_.clock.now();
    call_.deadline = permitted_at_ + tools_.deadline;  // the forge's time is not the BMC's
    return !report_.refusal;
  }

  void act() {
    const PowerAction action = report_.decision.action;
    if (action == PowerAction::On && policy_ != nullptr) {
      auto wait = power_on_turn(*policy_, tools_.disruption, tools_.clock.wall());
      if (wait) return static_cast<void>(not_now(std::move(*wait)));
    }
    auto begun = memory_.runs.begin(action, report_.decision.reason, commit_, desired_.digest, tools_.clock.wall());
    if (!begun) {
      fail(std::move(begun.error()), "preparing " + std::string(to_string(action)));
      return;
    }
    if (has_expired(permitted_at_, tools_.clock.now()) && !permitted()) {
      auto closed = memory_.runs.fail(report_.refusal->message, PowerRuns::Attempt::NeverSent, tools_.clock.wall());
      if (!closed) fail(std::move(closed.error()), "closing a run in the journal");
      return;
    }
    report_.sent = action;
    auto outcome = write_while_permitted(
        tools_.clock, call_, permitted_at_, [&](const Call& call) { return memory_.bmc->power()->act(action, call); },
        [&] { return permitted() ? std::optional(permitted_at_) : std::nullopt; });
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
      const bool lost = error.code == Code::Conflict || error.code == Code::Unreachable;
      const auto attempt = lost ? PowerRuns::Attempt::NeverSent : PowerRuns::Attempt::Counts;
      if (auto closed = memory_.runs.fail(error.text(), attempt, tools_.clock.wall()); !closed) {
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
    if (auto noted = memory_.runs.observed(*state, wanted_, now); !noted) {
      fail(std::move(noted.error()), "closing a run in the journal");
      return;
    }
    decide();
  }

  MachineReport finish_unread() {
    if (!judged_) memory_.breaker.failed();
    report_.power = Observed<PowerState>::unknown(report_.error ? report_.error->text() : "not read");
    report_.decision = {.kind = DecisionKind::Unknown, .reason = report_.power.reason()};
    report_.match = {IdentityMatch::Verdict::Unreadable, "the BMC could not be read"};
    if (tools_.life != nullptr && !report_.put_off) tools_.life->unread(desired_, report_.power.reason());
    return std::move(report_);
  }

  const DesiredMachine& desired_;
  const std::string& commit_;
  const Instance* instance_;
  const Policy* const policy_;
  MachineMemory& memory_;
  const PassTools& tools_;
  Call call_;
  MachineReport report_;
  std::chrono::nanoseconds took_{0};  // to the first answer
  bool judged_ = false;               // the breaker knows how this attempt ended
  MonoTime permitted_at_{};           // when the guard was asked last
  WantedPower wanted_ = WantedPower::Unmanaged;
  bool cycling_ = false;
};

}  // namespace

MachineReport run_pass(const PassWish& wish, MachineMemory& memory, const PassTools& tools, std::stop_token stop) {
  return Pass(wish, memory, tools, std::move(stop)).run();
}

}  // namespace nimbus::controller
