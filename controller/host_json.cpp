#include "controller/host_json.hpp"

#include <algorithm>

#include "base/time/time.hpp"

namespace nimbus::controller {
namespace {

using base::Json;
using reconcilers::configure::Gap;

struct Told {
  const char* state;
  std::string because, waiting_for, next_step;
};

const char* kind_of(Gap::Kind kind) {
  switch (kind) {
    case Gap::Kind::Change:
      return "change";
    case Gap::Kind::Unsupported:
      return "unsupported";
    case Gap::Kind::Unknown:
      return "unknown";
    case Gap::Kind::Held:
      return "held";
  }
  return "unknown";
}

Told tell_unreachable(const Error& error) {
  if (error.code == Code::Untrusted) {
    return {"untrusted", error.text(), "a person",
            "find out who answers there; if the host was installed anew on purpose, put its new key into the "
            "instance's file"};
  }
  if (error.code == Code::Auth) {
    return {"refused", error.text(), "a person", "let the controller's key in; it is tried again by itself"};
  }
  return {"unreachable", error.text(), "an answer of the host", "look again"};
}

Told tell(const HostView& view) {
  if (!view.report) return {"unknown", "not looked at yet", "its first look", "look"};
  const HostReport& report = *view.report;
  if (report.unfinished) {
    return {"drifted", report.error ? report.error->text() : "", "the next pass",
            "look, and correct what is still missing"};
  }
  if (report.without_key) {
    return {"unknown", kWithoutKey, "a person", "look, once nimbusd was restarted with a key for hosts"};
  }
  if (!report.looked) return tell_unreachable(report.error.value_or(Error{Code::Internal, "not looked at"}));
  if (registry::has_errors(report.problems)) {
    const auto first = std::find_if(report.problems.begin(), report.problems.end(),
                                    [](const auto& problem) { return problem.severity == registry::Severity::Error; });
    return {"invalid", first->message, "a person", "correct the profiles; nothing is changed until then"};
  }
  if (report.converged()) return {"converged", "the host is as declared", "", "look again"};
  if (report.refusal)
    return {"waiting", report.refusal->message, report.refusal->message, "correct it when that is over"};
  if (!report.failed.empty()) {
    const auto& first = report.failed.front();
    return {"failed", first.resource + ": " + first.reason, first.held ? "a person, or an hour" : "another attempt",
            first.held ? "correct the cause, then 'nimbusctl reconcile " + view.target.instance + "'" : "try again"};
  }
  if (view.target.mode == ConfigurationMode::Observe) {
    return {"drifted", "the host is not as declared", "a person",
            "configuration = \"observe\" only reports; \"enforce\" lets Nimbus correct it"};
  }
  for (const auto& gap : report.gaps) {
    if (gap.kind != Gap::Kind::Held) continue;
    return {"failed", gap.resource + ": " + gap.problem, "another commit",
            "change what is declared of it: the same is not tried again"};
  }
  return {"drifted", report.error ? report.error->text() : "the host is not as declared", "the next pass",
          "look, and correct what is still missing"};
}

Json gaps_json(const HostReport& report) {
  constexpr std::size_t kMost = 500;
  Json out = Json::array();
  for (const auto& gap : report.gaps) {
    if (out.size() == kMost) break;
    Json drifts = Json::array();
    for (const auto& drift : gap.drifts) {
      drifts.push(Json::object({{"key", drift.key}, {"desired", drift.desired}, {"observed", drift.observed}}));
    }
    out.push(Json::object({{"resource", gap.resource},
                           {"kind", kind_of(gap.kind)},
                           {"problem", gap.problem},
                           {"drifts", std::move(drifts)}}));
  }
  return out;
}

Json health_json(const HostReport& report) {
  const host::Health& health = report.health;
  const auto number = [](const auto& value) { return value ? Json(static_cast<double>(*value)) : Json(); };
  Json units = Json::array();
  for (const auto& unit : health.failed_units.value_or(std::vector<std::string>())) units.push(unit);
  Json file_systems = Json::array();
  for (const auto& fs : health.file_systems) {
    file_systems.push(Json::object({{"path", fs.path},
                                    {"bytes", static_cast<double>(fs.size)},
                                    {"available_bytes", static_cast<double>(fs.available)}}));
  }
  return Json::object({{"os", report.os},
                       {"os_version", report.os_version},
                       {"trouble", text_of(report.troubles)},
                       {"kernel", health.kernel},
                       {"load1", number(health.load1)},
                       {"memory_bytes", number(health.memory_total)},
                       {"memory_available_bytes", number(health.memory_available)},
                       {"uptime_seconds", number(health.uptime_seconds)},
                       {"time_offset_seconds", number(health.time_offset_seconds)},
                       {"reboot_required", health.reboot_required ? Json(*health.reboot_required) : Json()},
                       {"failed_units", health.failed_units ? std::move(units) : Json()},
                       {"file_systems", std::move(file_systems)}});
}

}  // namespace

Json host_json(const HostView& view) {
  const Told told = tell(view);
  Json out = Json::object({{"instance", view.target.instance},
                           {"machine", view.target.machine},
                           {"mode", name_of(view.target.mode)},
                           {"address", view.target.endpoint.address},
                           {"state", told.state},
                           {"because", told.because},
                           {"waiting_for", told.waiting_for},
                           {"next_step", told.next_step},
                           {"running", view.running},
                           {"looked_at", view.report ? Json(base::to_rfc3339(view.report->at)) : Json()},
                           {"next_look", view.report ? Json(base::to_rfc3339(view.next_look)) : Json()}});
  if (!view.report) return out;
  const HostReport& report = *view.report;
  Json failed = Json::array();
  for (const auto& item : report.failed) {
    failed.push(Json::object({{"resource", item.resource}, {"reason", item.reason}, {"held", item.held}}));
  }
  Json diffs = Json::array();
  for (const auto& text : report.texts) diffs.push(Json::object({{"path", text.path}, {"diff", text.diff}}));
  Json problems = Json::array();
  for (const auto& problem : report.problems) {
    problems.push(Json::object({{"file", problem.file}, {"line", problem.line}, {"message", problem.message}}));
  }
  out.set("gaps", gaps_json(report));
  out.set("failed", std::move(failed));
  out.set("diffs", std::move(diffs));
  out.set("problems", std::move(problems));
  Json unproven = Json::array();
  for (const auto& line : report.unproven) unproven.push(line);
  out.set("unproven", std::move(unproven));
  if (report.looked) out.set("health", health_json(report));
  return out;
}

}  // namespace nimbus::controller
