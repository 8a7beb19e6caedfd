#include "controller/configure/host_pass.hpp"

#include <algorithm>
#include <utility>

#include "controller/configure/texts.hpp"
#include "controller/machine/permitted_write.hpp"
#include "reconcilers/configure/compare.hpp"
#include "reconcilers/configure/order.hpp"
#include "reconcilers/configure/probe.hpp"

namespace nimbus::controller {
namespace {

namespace configure = reconcilers::configure;
using configure::Gap;
using configure::Outcome;
using std::chrono::milliseconds;

/// A level costs one correction; more than this is a host that never gets right.
constexpr int kMostCorrections = 64;

/// Those of the resources that may cut the host off.
std::set<std::string> guarded_among(const host::Configuration& wanted, const std::vector<std::string>& resources) {
  std::set<std::string> out;
  for (const auto& resource : wanted.resources) {
    const auto* action = std::get_if<host::Action>(&resource.wanted);
    if (action == nullptr || action->undo.empty()) continue;
    if (std::find(resources.begin(), resources.end(), resource.id) != resources.end()) out.insert(resource.id);
  }
  return out;
}

/// What waits for a confirmation, or may: without an answer nobody knows how far it came.
host::Facts tries_of(const std::set<std::string>& guarded, const std::vector<Outcome>& outcomes,
                     const std::string& token) {
  host::Facts out;
  for (const auto& outcome : outcomes) {
    const bool may = outcome.kind == Outcome::Kind::Done || outcome.kind == Outcome::Kind::Unknown;
    if (may && guarded.contains(outcome.resource)) out.awaiting[outcome.resource] = token;
  }
  return out;
}

std::string list(const std::vector<std::string>& resources) {
  constexpr std::size_t kMost = 20;
  std::string out;
  for (std::size_t i = 0; i < resources.size() && i < kMost; ++i) out += (out.empty() ? "" : ", ") + resources[i];
  if (resources.size() > kMost) out += ", and " + std::to_string(resources.size() - kMost) + " more";
  return out;
}

std::string reason_of(const Outcome& outcome) {
  switch (outcome.kind) {
    case Outcome::Kind::Done:
      return "it was corrected, and is not as declared all the same";
    case Outcome::Kind::Failed:
      return "exit status " + std::to_string(outcome.exit_status) + (outcome.said.empty() ? "" : ": " + outcome.said);
    case Outcome::Kind::Busy:
      return "somebody else holds a lock on the host";
    case Outcome::Kind::Unknown:
      return "the host did not tell what became of it";
  }
  return {};
}

class HostPass {
 public:
  HostPass(const HostTarget& target, HostMemory& memory, const HostTools& tools, const HostLimits& limits,
           std::stop_token stop)
      : target_(target), memory_(memory), tools_(tools), limits_(limits), stop_(std::move(stop)) {}

  HostReport take() {
    report_.at = tools_.clock.wall();
    if (auto attached = attach(); !attached) return fail(std::move(attached.error()));
    if (memory_.digest != target_.digest) {
      memory_.digest = target_.digest;
      memory_.futile.clear();
    }
    build();
    if (!look()) return std::move(report_);
    if (target_.mode == ConfigurationMode::Enforce && !registry::has_errors(report_.problems)) enforce();
    if (report_.looked) read_texts();
    tell_futile();
    return std::move(report_);
  }

 private:
  HostReport fail(Error error) {
    report_.error = std::move(error);
    return std::move(report_);
  }

  Result<> attach() {
    if (memory_.host && memory_.endpoint == target_.endpoint) return {};
    if (tools_.hosts == nullptr) {
      report_.without_key = true;
      return Error{Code::Unsupported, kWithoutKey};
    }
    auto host = tools_.hosts->attach(target_.endpoint);
    if (!host) return std::move(host.error());
    memory_.host = std::move(*host);
    memory_.endpoint = target_.endpoint;
    return {};
  }

  /// A configuration with problems is not what people meant: the host is looked at for its health alone.
  void build() {
    auto built = tools_.build(target_);
    report_.problems = std::move(built.problems);
    if (registry::has_errors(report_.problems)) return;
    auto order = configure::order_of(built.configuration);
    if (!order) {
      report_.problems.push_back({.message = order.error().text()});
      return;
    }
    wanted_ = std::move(built.configuration);
    order_ = std::move(*order);
    const auto wait = std::chrono::ceil<std::chrono::seconds>(limits_.confirm).count();
    for (auto& resource : wanted_.resources) {
      if (auto* action = std::get_if<host::Action>(&resource.wanted)) action->confirm_seconds = static_cast<int>(wait);
    }
    needs_ = configure::needs_of(wanted_);
  }

  Call within(milliseconds time) const { return {tools_.clock.now() + time, stop_}; }

  /// On the host. Each is a step: it ends at its deadline at the latest.
  Result<HostAnswer> run(HostScript script, milliseconds time) {
    ++report_.scripts;
    auto answer = memory_.host->run(script, within(time));
    tools_.stepped();
    return answer;
  }

  /// As run(), for what changes the host: it leaves while the last refusal() that was none lasts, or not at all.
  Result<HostAnswer> change(const std::string& script, milliseconds time) {
    ++report_.scripts;
    auto answer = write_while_permitted(
        tools_.clock, within(time), permitted_at_,
        [&](const Call& call) { return memory_.host->run({.text = script, .as_root = true}, call); },
        [&] { return (report_.refusal = refusal()) ? std::nullopt : std::optional(permitted_at_); });
    tools_.stepped();
    return answer;
  }

  bool look() {
    const std::string token = tools_.token();
    const std::string script = configure::probe_script(needs_, token);
    const WallTime sent = tools_.clock.wall();
    report_.looked = false;
    auto answer = run({.text = script, .as_root = true, .most_output = needs_.most_output}, limits_.look);
    const WallTime received = tools_.clock.wall();
    auto facts = answer ? configure::read_probe(answer->output, needs_, token) : Result<host::Facts>(answer.error());
    if (!facts) {
      report_.error = std::move(facts.error()).with("while looking at the host of " + target_.instance);
      return false;
    }
    facts_ = std::move(*facts);
    if (facts_.health.clock) {
      facts_.health.time_offset_seconds = configure::time_offset(*facts_.health.clock, sent, received);
    }
    report_.looked = true;
    report_.health = facts_.health;
    report_.troubles = memory_.troubles = troubles_of(facts_.health, memory_.troubles);
    report_.unproven = configure::unproven(wanted_, facts_);
    report_.os = facts_.os;
    report_.os_version = facts_.os_version;
    report_.gaps = !registry::has_errors(report_.problems) ? configure::compare(wanted_, facts_) : std::vector<Gap>();
    return true;
  }

  void enforce() {
    if (!confirm_awaiting()) return;
    for (const auto& [resource, futile] : memory_.futile) {
      if (futile.rest && tools_.clock.now() < *futile.rest) failed_.insert(resource);
    }
    for (int i = 0; i < kMostCorrections && correct(); ++i) {
    }
    forget_what_is_right();
  }

  /// The next level. False: nothing is left to do, or it cannot go on now.
  bool correct() {
    const std::string token = tools_.token();
    const auto correction = configure::next_correction(wanted_, order_, report_.gaps, facts_, failed_, token);
    if (correction.resources.empty()) return false;
    report_.refusal = refusal();
    if (report_.refusal) return false;
    const std::string resources = list(correction.resources);
    if (auto begun = begin(resources); !begun) {
      report_.error = std::move(begun.error()).with("while noting a correction before it is made");
      return false;
    }
    const auto guarded = guarded_among(wanted_, correction.resources);
    auto answer =
        change(correction.script, guarded.empty() ? limits_.deadline : std::min(limits_.confirm / 2, limits_.deadline));
    if (!answer && answer.error().code == Code::Conflict) return not_sent(std::move(answer.error()), resources);
    const auto outcomes = configure::read_outcomes(correction, answer ? answer->output : std::string(), token);
    end(outcomes, answer ? std::string() : answer.error().text());
    if (!answer && guarded.empty()) {
      report_.looked = false;
      report_.unfinished = true;
      report_.error = std::move(answer.error()).with("while correcting " + resources);
      return false;
    }
    // Its time runs: it is confirmed before the host is looked at.
    const auto tries = tries_of(guarded, outcomes, token);
    if (!tries.awaiting.empty() && !refusal() && !confirm(tries)) return false;
    if (!look()) return false;
    judge(outcomes);
    if (!confirm_awaiting()) return false;
    report_.busy = report_.busy || too_late_;
    return !too_late_;
  }

  Result<> begin(const std::string& resources) {
    if (auto noted = tools_.note("host-change-intent", target_, resources); !noted) return noted;
    if (auto marked = tools_.mark(target_.instance, true); !marked) return marked;
    if (!began_) tools_.began(target_);
    began_ = true;
    return {};
  }

  /// Too late for its permission, and the guard says no by now, or the host takes longer than any permission lasts.
  bool not_sent(Error error, const std::string& resources) {
    (void)tools_.note("host-change-result", target_,
                      "not sent: " + (report_.refusal ? report_.refusal->message : error.text()));
    (void)tools_.mark(target_.instance, false);
    if (!report_.refusal) report_.error = std::move(error).with("while correcting " + resources);
    return false;
  }

  /// What happened, happened, whether it can be noted or not.
  void end(const std::vector<Outcome>& outcomes, const std::string& error) {
    std::vector<std::string> changed, failed;
    for (const auto& outcome : outcomes) {
      if (outcome.kind == Outcome::Kind::Done) {
        if (outcome.changed) changed.push_back(outcome.resource);
      } else {
        failed.push_back(outcome.resource);
      }
      report_.busy = report_.busy || outcome.kind == Outcome::Kind::Busy;
    }
    report_.corrected += changed.size();
    std::string text = changed.empty() ? "nothing changed" : "changed " + list(changed);
    if (!failed.empty()) text += "; not done " + list(failed);
    if (!error.empty()) text = "not known, the host is looked at again: " + error;
    (void)tools_.note("host-change-result", target_, text);
    (void)tools_.mark(target_.instance, false);
  }

  std::optional<Refusal> refusal() {
    if (!target_.desired) {
      return Refusal{"Unmanaged",
                     "no file of the machine " + target_.machine + " is in force: nothing is written to it"};
    }
    // The forge takes its time: brakes are looked at after it.
    const Authority authority = tools_.authority();
    // Who the host is, its key says; the session would not stand otherwise.
    auto refused = guard_write({.authority = authority,
                                .lifecycle = target_.desired->lifecycle,
                                .identity = {.verdict = IdentityMatch::Verdict::Matches, .reason = {}},
                                .local_hold = tools_.local_hold(target_.machine)});
    if (!refused) refused = tools_.superseded();
    permitted_at_ = tools_.clock.now();
    return refused;
  }

  /// Says on a session that was opened after these tries that the host can be reached. What the host
  /// made of it, the next look shows. False: it could not be said.
  bool confirm(const host::Facts& tries) {
    memory_.host->close(within(limits_.look));
    auto answer = change(configure::confirm_script(tries), limits_.look);
    if (answer) {
      too_late_ = answer->exit_status != 0;
      return true;
    }
    report_.looked = false;
    report_.error = std::move(answer.error()).with("while confirming a change on a new session");
    return false;
  }

  /// What still waits for it: tried by a pass that was cut off, or just now by a script that had no time to tell.
  /// False: no correction may follow in this pass.
  bool confirm_awaiting() {
    if (facts_.awaiting.empty()) return true;
    if (report_.refusal = refusal(); report_.refusal) return false;
    if (!confirm(facts_) || !look()) return false;
    // The host may be undoing it right now: it is not disturbed, and looked at again soon.
    report_.busy = report_.busy || too_late_;
    return !too_late_;
  }

  bool has_gap(const std::string& resource) const {
    return std::any_of(
        report_.gaps.begin(), report_.gaps.end(),
        // What undid itself says so itself.
        [&](const Gap& gap) { return gap.resource == resource && !gap.notified && gap.kind != Gap::Kind::Held; });
  }

  /// What was done and is still missing counts as failed: the host's own look decides.
  void judge(const std::vector<Outcome>& outcomes) {
    const MonoTime now = tools_.clock.now();
    for (const auto& outcome : outcomes) {
      const bool right = outcome.kind == Outcome::Kind::Done && !has_gap(outcome.resource);
      auto& futile = memory_.futile[outcome.resource];
      if (right) {
        futile.attempts = 0;
        futile.rest.reset();
        if (outcome.changed) futile.done.push_back(now);
        while (!futile.done.empty() && now - futile.done.front() > std::chrono::hours(1)) futile.done.pop_front();
        if (futile.done.size() < kMostCorrectionsInAnHour) continue;
        futile.why = "it was corrected " + std::to_string(futile.done.size()) +
                     " times within an hour: something else on the host changes it back";
        futile.rest = now + kRest;
        continue;
      }
      failed_.insert(outcome.resource);
      futile.why = reason_of(outcome);
      if (outcome.kind == Outcome::Kind::Busy) continue;
      ++futile.attempts;
      const bool in_vain = outcome.kind == Outcome::Kind::Done && !guarded_among(wanted_, {outcome.resource}).empty();
      if (in_vain) {
        futile.rest = now + std::min(kLongestRest, kRest * (1 << std::min(futile.attempts - 1, 5)));
      } else if (futile.attempts >= kMostAttempts) {
        futile.rest = now + kRest;
      }
    }
  }

  void forget_what_is_right() {
    if (!report_.looked) return;
    std::erase_if(memory_.futile, [&](const auto& item) { return item.second.done.empty() && !has_gap(item.first); });
  }

  void tell_futile() {
    const MonoTime now = tools_.clock.now();
    for (const auto& [resource, futile] : memory_.futile) {
      const bool held = futile.rest && now < *futile.rest;
      const bool failing = futile.attempts > 0 || failed_.contains(resource);
      if (!has_gap(resource) || (!held && !failing)) continue;
      report_.failed.push_back({resource, futile.why, held});
    }
  }

  void read_texts() {
    const auto wish = texts_to_read(wanted_, facts_, report_.gaps);
    if (wish.of == memory_.texts_of) {
      report_.texts = memory_.texts;
      return;
    }
    memory_.texts.clear();
    memory_.texts_of.clear();
    if (!wish.files.empty()) {
      const std::string token = tools_.token();
      const auto answer =
          run({.text = texts_script(wish, token), .as_root = true, .most_output = kMostTextOutput}, limits_.look);
      if (!answer) return;  // the next pass asks again
      memory_.texts = read_texts_answer(wish, answer->output, token);
    }
    memory_.texts_of = wish.of;
    report_.texts = memory_.texts;
  }

  const HostTarget& target_;
  HostMemory& memory_;
  const HostTools& tools_;
  const HostLimits& limits_;
  const std::stop_token stop_;
  HostReport report_;
  host::Configuration wanted_;
  configure::ProbeNeeds needs_;  // of wanted_
  configure::Order order_;
  host::Facts facts_;
  std::set<std::string> failed_;
  MonoTime permitted_at_{};
  bool began_ = false;
  bool too_late_ = false;  // for the last confirmation: the host had undone it, or begun to
};

}  // namespace

HostReport run_host_pass(const HostTarget& target, HostMemory& memory, const HostTools& tools, const HostLimits& limits,
                         std::stop_token stop) {
  return HostPass(target, memory, tools, limits, std::move(stop)).take();
}

}  // namespace nimbus::controller
