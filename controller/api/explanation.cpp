#include "controller/api/explanation.hpp"

#include <fmt/core.h>

namespace nimbus::controller {
namespace {

using DecisionKind = reconcilers::PowerDecision::Kind;

constexpr std::string_view kPerson = "a person";

std::string with_reason(std::string text, const std::string& reason) {
  return reason.empty() ? text : text + ": " + reason;
}

/// What a person can do about an error that asking again does not cure.
std::string cure_of(Code code) {
  switch (code) {
    case Code::Auth:
      return "check the user and password of the machine's credentials on the controller";
    case Code::Untrusted:
      return "compare the BMC's certificate with bmc.tls of the machine's file";
    case Code::NotFound:
      return "check bmc.credentials, bmc.system and the secrets folder of the controller";
    case Code::Unsupported:
      return "this BMC does not offer what is needed: look at its firmware, or force a quirk";
    case Code::Invalid:
      return "correct the machine's file";
    case Code::Unreachable:
    case Code::Timeout:
    case Code::Cancelled:
    case Code::Conflict:
    case Code::RateLimited:
    case Code::Busy:
    case Code::Corrupt:
    case Code::Internal:
      break;
  }
  return "look at the error";
}

class Explainer {
 public:
  explicit Explainer(const LiveBoard::Entry& entry)
      : entry_(entry), desired_(*entry.machine.desired), facts_(entry.live->facts), report_(facts_.report) {}

  Explanation make() {
    out_.state = judge(entry_.live->status);
    out_.until = facts_.next_look;
    if (brake() || stalled() || unread() || refused() || held()) return std::move(out_);
    decided();
    return std::move(out_);
  }

 private:
  void say(std::string waiting_for, std::string next_step) {
    out_.waiting_for = std::move(waiting_for);
    out_.next_step = std::move(next_step);
  }
  /// Nothing but a person's act ends this wait.
  void say_person(std::string next_step) {
    say(std::string(kPerson), std::move(next_step));
    out_.until.reset();
  }

  bool brake() {
    const auto& lifecycle = desired_.lifecycle;
    if (!report_.local_hold.empty()) {
      say_person(
          fmt::format("held on the controller: {}; 'nimbusctl resume {}' lifts it", report_.local_hold, entry_.name));
    } else if (lifecycle.hands_off) {
      say_person(with_reason("a commit without hands_off = true lets it go on", lifecycle.reason));
    } else if (lifecycle.state != LifecycleState::InService) {
      say_person(with_reason("a commit with lifecycle.state = \"in-service\" lets it go on", lifecycle.reason));
    } else {
      return false;
    }
    return true;
  }

  bool stalled() {
    if (entry_.machine.stalled.empty()) return false;
    say_person("correct the machine's file; its last good version stays in force: " + entry_.machine.stalled);
    return true;
  }

  bool unread() {
    if (report_.power.is_known() || report_.power.is_unsupported()) return false;
    if (report_.error && !is_transient(report_.error->code)) {
      say_person(cure_of(report_.error->code));
      out_.until = facts_.next_look;  // it is tried again all the same
    } else {
      say("the BMC to answer", "ask again");
    }
    return true;
  }

  bool refused() {
    if (!report_.refusal) return false;
    const auto reason = report_.refusal->reason;
    if (reason == "WrongMachine" || reason == "IdentityUnknown") {
      say_person("compare [identity] of the machine's file with what the BMC reports");
    } else if (reason == "Deposed") {
      say_person("another controller took over; stop this one, or restart it to take over again");
    } else {
      say(report_.refusal->message, "look again, and write if that is over");
    }
    return true;
  }

  /// A run that is held, or a machine that is kept aside.
  bool held() {
    if (!report_.life || report_.life->held.empty()) return false;
    say_person(report_.life->held);
    return true;
  }

  void decided() {
    const auto& decision = report_.decision;
    if (report_.error) {
      say("the BMC to take the action", "look again, and decide anew");
      return;
    }
    switch (decision.kind) {
      case DecisionKind::Nothing:
        say("", "look again");
        return;
      case DecisionKind::Act:
        say("the effect of " + std::string(to_string(decision.action)), "look again");
        return;
      case DecisionKind::Wait:
        say(decision.reason, "look again, and decide anew");
        if (decision.look_again) out_.until = decision.look_again;
        return;
      case DecisionKind::Report:
        say_person("enforcement = \"observe\" only reports; a commit with \"enforce\" lets Nimbus correct it");
        return;
      case DecisionKind::Hold:
        say_person(fmt::format("find out why it does not obey ({}); a new commit for this machine tries again",
                               decision.reason));
        return;
      case DecisionKind::Unknown:
        say("an answer that makes sense", "look again");
        return;
    }
  }

  const LiveBoard::Entry& entry_;
  const DesiredMachine& desired_;
  const MachineFacts& facts_;
  const MachineReport& report_;
  Explanation out_;
};

}  // namespace

Explanation explain(const LiveBoard::Entry& entry) {
  if (!entry.live) {
    return {.state = {}, .waiting_for = "its first look", .until = std::nullopt, .next_step = "read the BMC"};
  }
  return Explainer(entry).make();
}

}  // namespace nimbus::controller
