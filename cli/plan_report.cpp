#include "cli/plan_report.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/core.h>

#include "base/json/json.hpp"
#include "base/text/text.hpp"
#include "base/time/time.hpp"
#include "cli/age.hpp"
#include "cli/listing.hpp"
#include "cli/plan_hosts_report.hpp"

namespace nimbus::cli {
namespace {

using base::Json;
using registry::Change;
using registry::DataLoss;
using registry::Effect;
using registry::LimitVerdict;
using registry::PlanItem;

constexpr std::size_t kValue = 120;  // of a value in a line for people

std::string_view name_of(PlanItem::Kind kind) {
  switch (kind) {
    case PlanItem::Kind::Added:
      return "added";
    case PlanItem::Kind::Changed:
      return "changed";
    case PlanItem::Kind::Removed:
      return "removed";
  }
  return "changed";
}

std::string_view name_of(LimitVerdict::Kind kind) {
  switch (kind) {
    case LimitVerdict::Kind::Within:
      return "within";
    case LimitVerdict::Kind::Queues:
      return "queues";
    case LimitVerdict::Kind::Holds:
      return "holds";
  }
  return "holds";
}

std::string_view name_of(DataLoss loss) {
  switch (loss) {
    case DataLoss::No:
      return "no";
    case DataLoss::Possible:
      return "possible";
    case DataLoss::Yes:
      return "yes";
  }
  return "possible";
}

/// The marks that people know from other planners.
std::string_view mark_of(const PlanItem& item) {
  if (item.worst() == Effect::Reinstall) return "-/+";
  switch (item.kind) {
    case PlanItem::Kind::Added:
      return "+";
    case PlanItem::Kind::Changed:
      return "~";
    case PlanItem::Kind::Removed:
      return "-";
  }
  return "~";
}

/// What people must see first; empty: no data is at stake.
std::string_view loss_text(const PlanItem& item) {
  switch (item.data_loss()) {
    case DataLoss::No:
      break;
    case DataLoss::Possible:
      return "POSSIBLE DATA LOSS";
    case DataLoss::Yes:
      return "DATA LOSS";
  }
  return item.blocked_data_loss() == DataLoss::No ? "" : "DATA LOSS, blocked";
}

Style style_of(const PlanItem& item) {
  if (item.data_loss() == DataLoss::Yes) return Style::Bad;
  if (!loss_text(item).empty() || item.worst() >= Effect::RootCode) return Style::Warning;
  return Style::Plain;
}

std::string value_text(const std::string& text) { return text.empty() ? "(none)" : base::printable(text, kValue); }

std::string change_line(const Change& change, const Console& console) {
  std::string out = "    ";
  if (!change.key.empty()) out += base::printable(change.key, kValue);
  if (!change.from.empty() || !change.to.empty()) {
    out += fmt::format("{}{} → {}", change.key.empty() ? "" : ": ", value_text(change.from), value_text(change.to));
  }
  if (out.size() > 4) out += "\n      ";
  out += fmt::format("{}: {}", to_string(change.effect), base::printable(change.reason, 400));
  if (!change.blocked.empty()) {
    out += "\n      " + console.paint(Style::Warning, "blocked: " + base::printable(change.blocked, 400));
  }
  return out + "\n";
}

std::string status_line(const PlanReport& report) {
  if (report.status.empty()) return "nothing: no status branch; what depends on it is unknown";
  std::string out;
  for (const auto& status : report.status) {
    out += fmt::format("{}{} ({} old)", out.empty() ? "" : ", ", base::printable(status.provider, 70),
                       age_text(status.when, report.now));
  }
  return out;
}

/// Limits that the plan does not simply keep.
std::vector<const LimitVerdict*> broken_limits(const registry::Plan& plan) {
  std::vector<const LimitVerdict*> out;
  for (const auto& limit : plan.limits) {
    if (limit.kind != LimitVerdict::Kind::Within) out.push_back(&limit);
  }
  return out;
}

std::string limit_text(const LimitVerdict& limit) {
  const std::string_view effect =
      limit.kind == LimitVerdict::Kind::Holds ? "held until approved" : "the rest waits its turn";
  return fmt::format("{} asked, {} allowed: {}", limit.asked, limit.allowed, effect);
}

// ---- Markdown

std::string markdown_change(const Change& change) {
  std::string out = "  - ";
  if (!change.key.empty()) out += markdown_code(change.key) + " ";
  if (!change.from.empty() || !change.to.empty()) {
    out += fmt::format("{} → {} ", change.from.empty() ? "(none)" : markdown_code(change.from),
                       change.to.empty() ? "(none)" : markdown_code(change.to));
  }
  out += fmt::format("{}: {}", to_string(change.effect), markdown_code(change.reason, 400));
  if (!change.blocked.empty()) out += fmt::format("; **blocked**: {}", markdown_code(change.blocked, 400));
  return out + "\n";
}

std::string markdown_item(const PlanItem& item) {
  constexpr std::size_t kMostChanges = 20;
  const std::string loss = loss_text(item).empty() ? "" : fmt::format(" **{}**", loss_text(item));
  std::string out = fmt::format("- {} {} {}, {}{}\n", to_string(item.object), markdown_code(item.id),
                                name_of(item.kind), to_string(item.worst()), loss);
  for (std::size_t i = 0; i < item.changes.size() && i < kMostChanges; ++i) out += markdown_change(item.changes[i]);
  if (item.changes.size() > kMostChanges)
    out += fmt::format("  - and {} more changes\n", item.changes.size() - kMostChanges);
  return out;
}

Json change_json(const Change& change) {
  Json out = Json::object({{"effect", to_string(change.effect)},
                           {"data_loss", name_of(change.data_loss)},
                           {"key", change.key},
                           {"from", change.from},
                           {"to", change.to},
                           {"reason", change.reason}});
  if (!change.blocked.empty()) out.set("blocked", change.blocked);
  return out;
}

Json item_json(const PlanItem& item) {
  Json changes = Json::array();
  for (const auto& change : item.changes) changes.push(change_json(change));
  Json files = Json::array();
  for (const auto& file : item.files) files.push(file);
  return Json::object({{"object", to_string(item.object)},
                       {"id", item.id},
                       {"kind", name_of(item.kind)},
                       {"path", item.path},
                       {"provider", item.provider},
                       {"effect", to_string(item.worst())},
                       {"data_loss", name_of(item.data_loss())},
                       {"changes", changes},
                       {"files", files}});
}

Json totals_json(const registry::PlanTotals& totals) {
  return Json::object({{"items", totals.items},
                       {"machines", totals.machines},
                       {"instances", totals.instances},
                       {"data_loss", totals.data_loss},
                       {"in_place", totals.in_place},
                       {"power", totals.power},
                       {"reboots", totals.reboots},
                       {"power_offs", totals.power_offs},
                       {"installs", totals.installs},
                       {"reinstalls", totals.reinstalls},
                       {"releases", totals.releases},
                       {"credential_exposures", totals.exposures},
                       {"root_code", totals.root_code},
                       {"unknown", totals.unknown},
                       {"blocked", totals.blocked}});
}

}  // namespace

std::string age_text(WallTime when, WallTime now) {
  using namespace std::chrono;
  const auto seconds = duration_cast<std::chrono::seconds>(now - when).count();
  if (seconds < 0) return "0s";
  if (seconds < 120) return fmt::format("{}s", seconds);
  if (seconds < 120 * 60) return fmt::format("{}m", seconds / 60);
  if (seconds < 48 * 3600) return fmt::format("{}h", seconds / 3600);
  return fmt::format("{}d", seconds / 86400);
}

std::string markdown_code(std::string_view text, std::size_t limit) {
  // In <code> no forge links, mentions or references anything; as numeric entities no
  // character is markup. The zero-width space after '@' is a second lock on mentions.
  std::string out = "<code>";
  for (const char c : base::printable(text, limit)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' ' ||
                       c == '.' || c == '/' || c == ',' || c == '-' || (static_cast<unsigned char>(c) & 0x80U) != 0;
    out += plain ? std::string(1, c) : fmt::format("&#{};", static_cast<int>(c));
    if (c == '@') out += "&#8203;";
  }
  return out + "</code>";
}

std::string plan_for_people(const PlanReport& report, const Console& console) {
  const auto& plan = report.plan;
  std::string out;
  for (const auto& item : plan.items) {
    std::string head = fmt::format("{:<3} {} {}  {}", mark_of(item), to_string(item.object),
                                   base::printable(item.id, 200), to_string(item.worst()));
    if (!loss_text(item).empty()) head += fmt::format("  {}", loss_text(item));
    out += console.paint(style_of(item), head) + "\n";
    for (const auto& change : item.changes) out += change_line(change, console);
    for (const auto& file : item.files) {
      if (file != item.path) out += "      because of " + base::printable(file, 300) + "\n";
    }
  }
  if (!plan.items.empty()) out += "\n";
  out += hosts_for_people(report.hosts, report.hosts_left_out, console);
  for (const auto* limit : broken_limits(plan)) {
    out += console.paint(limit->kind == LimitVerdict::Kind::Holds ? Style::Bad : Style::Warning,
                         fmt::format("Limit {} of {}: {}", limit->rule, base::printable(limit->provider, 70),
                                     limit_text(*limit))) +
           "\n";
  }
  out += fmt::format("Observed: {}\n", status_line(report));
  out += fmt::format("Plan: {}\n", console.paint(Style::Bold, base::printable(summary(plan), 1000)));
  if (!plan.items.empty()) out += fmt::format("Digest: {}\n", plan.digest);
  return out;
}

std::string plan_as_json(const PlanReport& report) {
  Json items = Json::array();
  for (const auto& item : report.plan.items) items.push(item_json(item));
  Json limits = Json::array();
  for (const auto& limit : report.plan.limits) {
    limits.push(Json::object({{"verdict", name_of(limit.kind)},
                              {"provider", limit.provider},
                              {"rule", limit.rule},
                              {"asked", static_cast<long>(limit.asked)},
                              {"allowed", static_cast<long>(limit.allowed)}}));
  }
  Json status = Json::array();
  for (const auto& used : report.status) {
    status.push(
        Json::object({{"provider", used.provider}, {"commit", used.commit}, {"updated", base::to_rfc3339(used.when)}}));
  }
  const Json document = Json::object({{"format_version", 1},
                                      {"digest", report.plan.digest},
                                      {"summary", summary(report.plan)},
                                      {"base", report.base},
                                      {"head", report.head},
                                      {"head_errors", report.head_errors},
                                      {"status", status},
                                      {"totals", totals_json(report.plan.totals)},
                                      {"limits", limits},
                                      {"items", items},
                                      {"hosts", hosts_as_json(report.hosts)},
                                      {"hosts_left_out", report.hosts_left_out}});
  return without_controls(document.text(base::JsonStyle::Pretty)) + "\n";
}

std::string plan_as_markdown(const PlanReport& report) {
  const auto& plan = report.plan;
  std::string out = fmt::format("### Nimbus plan\n\n{}\n\n", markdown_code(summary(plan), 1000));
  if (report.head_errors > 0) {
    out += fmt::format("**{} of the files' errors keep parts of this from happening:** see `nimbusctl validate`.\n\n",
                       report.head_errors);
  }
  for (const auto* limit : broken_limits(plan)) {
    out += fmt::format("**Limit** {} of {}: {}\n\n", markdown_code(limit->rule), markdown_code(limit->provider),
                       limit_text(*limit));
  }
  // Items come most severe first; a long plan loses its harmless end.
  constexpr std::size_t kFooter = 1500;
  constexpr std::size_t kForHosts = 15'000;  // of them there may be more, if the items leave room
  const std::size_t kept =
      std::min(kForHosts, hosts_as_markdown(report.hosts, report.hosts_left_out, kForHosts).size());
  std::size_t shown = 0;
  std::string_view heading;
  for (const auto& item : plan.items) {
    const std::string_view wanted = item.data_loss() != DataLoss::No ? "#### Data loss"
                                    : item.blocked_data_loss() != DataLoss::No
                                        ? "#### Data loss, blocked as things stand"
                                        : "#### Other changes";
    std::string part = heading == wanted ? std::string() : fmt::format("{}{}\n\n", heading.empty() ? "" : "\n", wanted);
    heading = wanted;
    part += markdown_item(item);
    if (out.size() + part.size() + kFooter + kept > kMostMarkdown) break;
    out += part;
    ++shown;
  }
  if (shown < plan.items.size())
    out += fmt::format("\n**and {} more**: run `nimbusctl plan` for all\n", plan.items.size() - shown);
  out += hosts_as_markdown(report.hosts, report.hosts_left_out, kMostMarkdown - kFooter - out.size());
  std::string observed = "no status branch: what depends on it is unknown";
  if (!report.status.empty()) {
    observed.clear();
    for (const auto& status : report.status) {
      if (observed.size() > kFooter / 2) break;
      observed += fmt::format("{}{} ({} old)", observed.empty() ? "" : ", ", markdown_code(status.provider, 70),
                              age_text(status.when, report.now));
    }
  }
  out += fmt::format("\n<sub>Observed: {}. Digest `{}`.</sub>\n", observed, plan.digest);
  return out;
}

}  // namespace nimbus::cli
