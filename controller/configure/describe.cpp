#include "controller/configure/describe.hpp"

#include <algorithm>

#include <fmt/core.h>
#include <fmt/format.h>

namespace nimbus::controller {
namespace {

using reconcilers::configure::Gap;
using registry::ConditionValue;

std::string_view reason_of(Code code) {
  switch (code) {
    case Code::Unreachable:
      return "Unreachable";
    case Code::Timeout:
      return "Timeout";
    case Code::Auth:
      return "AccessRefused";
    case Code::Untrusted:
      return "WrongKey";
    case Code::Corrupt:
      return "Nonsense";
    case Code::Cancelled:
    case Code::NotFound:
    case Code::Unsupported:
    case Code::Conflict:
    case Code::Invalid:
    case Code::RateLimited:
    case Code::Busy:
    case Code::Internal:
      return "NotLookedAt";
  }
  return "NotLookedAt";
}

/// Where the registry says it, if it is known.
std::string text_of(const registry::Problem& problem) {
  if (problem.file.empty()) return problem.message;
  return fmt::format("{}:{}: {}", problem.file, problem.line, problem.message);
}

std::string count(std::size_t number, const char* one, const char* many) {
  return fmt::format("{} {}", number, number == 1 ? one : many);
}

class Describe {
 public:
  Describe(const HostTarget& target, const HostReport& report, HostPart part, WallTime now)
      : target_(target), report_(report), part_(std::move(part)), now_(now) {}

  HostPart take() {
    part_.record.mode = std::string(name_of(target_.mode));
    part_.record.desired_digest = target_.digest;
    part_.correcting = false;
    part_.conditions.erase("access");
    set_reachable();
    if (report_.looked) set_records();
    set_healthy();
    set_configured();
    return std::move(part_);
  }

 private:
  void set(const char* name, ConditionValue value, std::string_view reason, std::string_view message) {
    registry::set_condition(part_.conditions, name, value, reason, message, now_);
  }

  void set_reachable() {
    if (report_.looked) {
      set("reachable", ConditionValue::True, "Answers", "");
      set("host-key", ConditionValue::True, "Matches", "");
      return;
    }
    if (report_.without_key) return set("reachable", ConditionValue::Unknown, "NotLookedAt", "");
    if (report_.unfinished) return;  // it answered before; the next look tells
    const Code code = report_.error ? report_.error->code : Code::Internal;
    const std::string& message = report_.error ? report_.error->message : std::string();
    set("reachable", ConditionValue::False, reason_of(code), message);
    if (code != Code::Untrusted) return;
    set("host-key", ConditionValue::False, "Changed",
        "the host shows another key than the pinned one: somebody may stand in between, or it was installed anew by "
        "somebody else; nothing is sent to it. " +
            message);
  }

  void set_healthy() {
    if (report_.unfinished) return;  // the next look tells
    if (!report_.looked) return set("healthy", ConditionValue::Unknown, "NotSeen", "");
    const bool well = report_.troubles.empty();
    set("healthy", well ? ConditionValue::True : ConditionValue::False, controller::reason_of(report_.troubles),
        controller::text_of(report_.troubles));
  }

  void set_records() {
    auto& record = part_.record;
    record.drifts.clear();
    record.failed.clear();
    for (const auto& gap : report_.gaps) {
      for (const auto& drift : gap.drifts) record.drifts.push_back({drift.key, drift.desired, drift.observed, {}});
      if (gap.kind != Gap::Kind::Change) record.failed.push_back({gap.resource, gap.problem});
    }
    for (const auto& failed : report_.failed) {
      record.failed.push_back(
          {failed.resource, failed.held ? failed.reason + "; not tried again for a while" : failed.reason});
    }
    if (record.drifts.size() > record.kDrifts) record.drifts.resize(record.kDrifts);
    if (record.failed.size() > record.kFailed) record.failed.resize(record.kFailed);
    if (report_.converged()) record.applied_digest = target_.digest;
  }

  void set_configured() {
    if (report_.without_key) return set("configured", ConditionValue::Unknown, "NoKey", kWithoutKey);
    if (registry::has_errors(report_.problems)) {
      const auto first = std::find_if(report_.problems.begin(), report_.problems.end(), [](const auto& problem) {
        return problem.severity == registry::Severity::Error;
      });
      return set("configured", ConditionValue::False, "Invalid", text_of(*first));
    }
    if (report_.unfinished) {
      return set("configured", ConditionValue::False, "Interrupted",
                 "a correction was cut off and its end is not known; the host is looked at again");
    }
    if (!report_.looked) {
      return set("configured", ConditionValue::Unknown, "NotSeen", "the host could not be looked at");
    }
    if (report_.converged()) {
      return set("configured", ConditionValue::True, "AsDeclared",
                 fmt::format("{}", fmt::join(report_.unproven, "; ")));
    }
    if (report_.refusal)
      return set("configured", ConditionValue::False, report_.refusal->reason, report_.refusal->message);
    if (!part_.record.failed.empty()) {
      const auto& first = part_.record.failed.front();
      return set("configured", ConditionValue::False, "Failed",
                 fmt::format("{} not be brought about, {} first: {}",
                             count(part_.record.failed.size(), "resource could", "resources could"), first.resource,
                             first.reason));
    }
    if (target_.mode == ConfigurationMode::Observe) {
      return set("configured", ConditionValue::False, "Drifted",
                 count(report_.gaps.size(), "resource is", "resources are") +
                     " not as declared; with configuration = \"enforce\" Nimbus would correct that");
    }
    set("configured", ConditionValue::False, "Drifted",
        count(report_.gaps.size(), "resource is", "resources are") + " not as declared");
  }

  const HostTarget& target_;
  const HostReport& report_;
  HostPart part_;
  const WallTime now_;
};

}  // namespace

HostPart describe_host(const HostTarget& target, const HostReport& report, const std::optional<HostPart>& before,
                       WallTime now) {
  return Describe(target, report, before.value_or(HostPart{}), now).take();
}

HostPart describe_dropped(const std::optional<HostPart>& before, const std::string& error, WallTime now) {
  HostPart part;
  if (before) part.conditions = before->conditions;
  std::erase_if(part.conditions, [](const auto& item) { return item.first != "access"; });
  part.record.mode = "none";
  if (error.empty()) {
    registry::set_condition(part.conditions, "access", ConditionValue::False, "Removed",
                            "nothing is configured here any more, and the controller's access was taken away", now);
  } else {
    registry::set_condition(
        part.conditions, "access", ConditionValue::True, "NotYetRemoved",
        "nothing is configured here any more; the controller's access could not be taken away yet: " + error, now);
  }
  return part;
}

registry::InstanceStatus describe_adopted(const HostTarget& target) {
  registry::InstanceStatus status;
  status.phase = registry::InstancePhase::Running;
  status.machine = target.machine;
  status.addresses = {target.endpoint.address};
  status.ssh_known_hosts = target.endpoint.address + " " + target.endpoint.host_key;
  status.ssh_trust = "registry";
  return status;
}

std::string headline(const std::optional<HostPart>& before, const HostPart& after) {
  const auto reason = [](const HostPart& part, const char* name) {
    const auto found = part.conditions.find(name);
    return found == part.conditions.end() ? std::string() : found->second.reason;
  };
  const HostPart none;
  const HostPart& earlier = before ? *before : none;
  if (reason(after, "host-key") == "Changed" && reason(earlier, "host-key") != "Changed") return "host-key-changed";
  if (reason(after, "access") != reason(earlier, "access"))
    return reason(after, "access").empty() ? "configured" : "access-removed";
  if (after.correcting && !earlier.correcting) return "configuring";
  const bool first_look = reason(earlier, "reachable").empty() && reason(after, "reachable") == "Answers";
  if (!first_look && reason(after, "reachable") != reason(earlier, "reachable")) {
    return reason(after, "reachable") == "Answers" ? "host-reachable" : "host-unreachable";
  }
  if (!first_look && reason(after, "healthy") != reason(earlier, "healthy")) {
    if (reason(after, "healthy") == "Well") return "host-well";
    if (reason(after, "healthy") != "NotSeen") return "host-unwell";
  }
  const std::string now = reason(after, "configured");
  if (now == reason(earlier, "configured")) return after == earlier ? "" : "drift";
  if (now == "Invalid") return "configuration-invalid";
  return now == "AsDeclared" ? "configured" : now == "Failed" ? "configuration-failed" : "drift";
}

}  // namespace nimbus::controller
