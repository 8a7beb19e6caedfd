#include "controller/api/machine_json.hpp"

#include "base/time/time.hpp"
#include "controller/api/explanation.hpp"

namespace nimbus::controller {
namespace {

using base::Json;
using DecisionKind = reconcilers::PowerDecision::Kind;

std::string_view to_word(DecisionKind kind) {
  switch (kind) {
    case DecisionKind::Nothing:
      return "nothing";
    case DecisionKind::Act:
      return "act";
    case DecisionKind::Report:
      return "report";
    case DecisionKind::Wait:
      return "wait";
    case DecisionKind::Hold:
      return "hold";
    case DecisionKind::Unknown:
      return "unknown";
  }
  return "unknown";
}

std::string_view to_word(IdentityMatch::Verdict verdict) {
  switch (verdict) {
    case IdentityMatch::Verdict::Matches:
      return "matches";
    case IdentityMatch::Verdict::Differs:
      return "differs";
    case IdentityMatch::Verdict::Unreadable:
      return "unreadable";
  }
  return "unreadable";
}

std::string_view to_word(RunOutcome outcome) { return to_string(outcome); }

Json identity_json(const Identity& identity) {
  Json out = Json::object();
  if (!identity.serial.empty()) out.set("serial", identity.serial);
  if (!identity.uuid.empty()) out.set("uuid", identity.uuid);
  if (!identity.bmc_guid.empty()) out.set("bmc_guid", identity.bmc_guid);
  return out;
}

Json desired_json(const DesiredMachine& desired) {
  Json labels = Json::object();
  for (const auto& [key, value] : desired.labels) labels.set(key, value);
  return Json::object({{"class", desired.class_name},
                       {"description", desired.description},
                       {"labels", labels},
                       {"power", to_string(desired.power)},
                       {"enforcement", to_string(desired.enforcement)},
                       {"lifecycle", Json::object({{"state", name_of(desired.lifecycle.state)},
                                                   {"hands_off", desired.lifecycle.hands_off},
                                                   {"reason", desired.lifecycle.reason}})},
                       {"bmc", Json::object({{"driver", desired.bmc.driver}, {"address", desired.bmc.address}})},
                       {"identity", identity_json(desired.identity)},
                       {"digest", desired.digest}});
}

Json observation_json(const LiveMachine& live) {
  const auto& report = live.facts.report;
  Json power = Json::object({{"state", report.power.is_known()         ? Json(to_string(report.power.value()))
                                       : report.power.is_unsupported() ? Json("unsupported")
                                                                       : Json("unknown")},
                             {"at", report.power.is_known() ? time_json(report.power.at()) : Json()},
                             {"reason", report.power.reason()}});
  const auto& last = live.last_power;
  if (!report.power.is_known() && last.is_known()) {
    power.set("last", Json::object({{"state", to_string(last.value())}, {"at", time_json(last.at())}}));
  }
  return Json::object({{"looked_at", time_json(live.looked_at)},
                       {"power", power},
                       {"identity", Json::object({{"read", identity_json(report.identity)},
                                                  {"verdict", to_word(report.match.verdict)},
                                                  {"reason", report.match.reason}})},
                       {"unread_passes", live.facts.failures}});
}

Json decision_json(const reconcilers::PowerDecision& decision) {
  return Json::object({{"kind", to_word(decision.kind)},
                       {"action", decision.kind == DecisionKind::Act ? Json(to_string(decision.action)) : Json()},
                       {"reason", decision.reason},
                       {"deadline", time_json(decision.look_again)}});
}

Json conditions_json(const registry::Conditions& conditions) {
  Json out = Json::object();
  for (const auto& [name, condition] : conditions) {
    out.set(name, Json::object({{"status", registry::to_string(condition.value)},
                                {"reason", condition.reason},
                                {"message", condition.message},
                                {"since", time_json(condition.since)}}));
  }
  return out;
}

Json drifts_json(const std::vector<registry::DriftRecord>& drifts) {
  Json out = Json::array();
  for (const auto& drift : drifts) {
    out.push(Json::object({{"key", drift.key},
                           {"desired", drift.desired},
                           {"observed", drift.observed},
                           {"pending", drift.pending.empty() ? Json() : Json(drift.pending)}}));
  }
  return out;
}

Json state_json(const HealthWord& word) {
  return Json::object({{"health", to_string(word.health)},
                       {"reason", word.reason},
                       {"message", word.message},
                       {"since", time_json(word.since)}});
}

void add_live(Json& out, const LiveMachine& live) {
  const auto& report = live.facts.report;
  out.set("observation", observation_json(live));
  out.set("decision", decision_json(report.decision));
  if (report.refusal) {
    out.set("refusal", Json::object({{"reason", report.refusal->reason}, {"message", report.refusal->message}}));
  }
  if (report.error) {
    out.set("error", Json::object({{"code", to_string(report.error->code)}, {"message", report.error->text()}}));
  }
  out.set("conditions", conditions_json(live.status.conditions));
  out.set("drift", drifts_json(live.status.drifts));
  Json runs = Json::array();
  for (const auto& run : live.facts.runs) runs.push(run_json(run));
  out.set("runs", std::move(runs));
  out.set("next_look", time_json(live.facts.next_look));
}

}  // namespace

Json time_json(const std::optional<WallTime>& time) { return time ? Json(base::to_rfc3339(*time)) : Json(); }

Json run_json(const Run& run) {
  return Json::object({{"id", run.id},
                       {"action", to_string(run.action)},
                       {"reason", run.reason},
                       {"commit", run.commit},
                       {"started", time_json(run.started)},
                       {"finished", time_json(run.finished)},
                       {"outcome", to_word(run.outcome)},
                       {"detail", run.detail}});
}

Json hold_json(const LocalHold& hold) {
  return Json::object({{"machine", hold.machine.empty() ? Json() : Json(hold.machine)},
                       {"reason", hold.reason},
                       {"by", hold.by},
                       {"since", time_json(hold.since)}});
}

Json machine_summary_json(const LiveBoard::Entry& entry) {
  const HealthWord word = entry.live ? judge(entry.live->status) : HealthWord{};
  const auto power = entry.live ? entry.live->status.power : std::nullopt;
  return Json::object({{"name", entry.name},
                       {"path", entry.machine.desired->path},
                       {"class", entry.machine.desired->class_name},
                       {"state", state_json(word)},
                       {"power", Json::object({{"desired", to_string(entry.machine.desired->power)},
                                               {"observed", power ? Json(to_string(*power)) : Json()}})},
                       {"held", entry.live && !entry.live->facts.report.local_hold.empty()}});
}

Json machine_json(const LiveBoard::Entry& entry) {
  const Explanation why = explain(entry);
  Json out = Json::object({{"name", entry.name},
                           {"provider", entry.machine.desired->id.provider},
                           {"path", entry.machine.desired->path},
                           {"state", state_json(why.state)},
                           {"waiting_for", why.waiting_for},
                           {"until", time_json(why.until)},
                           {"next_step", why.next_step},
                           {"desired", desired_json(*entry.machine.desired)}});
  if (!entry.machine.stalled.empty()) out.set("stalled", entry.machine.stalled);
  if (entry.live) add_live(out, *entry.live);
  return out;
}

}  // namespace nimbus::controller
