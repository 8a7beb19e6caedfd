#include "cli/plan_hosts_report.hpp"

#include <fmt/core.h>

#include "base/text/text.hpp"

namespace nimbus::cli {
namespace {

using base::Json;
using base::printable;
using registry::ResourceChange;
using Kind = ResourceChange::Kind;

constexpr std::size_t kValue = 120;  // of a value in a line for people
constexpr std::size_t kLine = 300;   // of a line of a file

struct KindText {
  std::string_view mark, word;
};
KindText text_of(Kind kind) {
  switch (kind) {
    case Kind::Added:
      return {"+", "added"};
    case Kind::Changed:
      return {"~", "changed"};
    case Kind::Removed:
      return {"-", "removed"};
    case Kind::Forgotten:
      return {"?", "forgotten"};
  }
  return {"~", "changed"};
}

std::string diff_lines(const std::string& diff, const Console& console) {
  std::string out;
  for (const auto line : base::split(diff, '\n')) {
    if (line.empty()) continue;
    const auto shown = printable(line, kLine);
    const bool header = line.starts_with("---") || line.starts_with("+++");
    const auto style = header                ? Style::Bold
                       : line.front() == '+' ? Style::Good
                       : line.front() == '-' ? Style::Bad
                                             : Style::Plain;
    out += "        " + console.paint(style, shown) + "\n";
  }
  return out;
}

std::string change_lines(const ResourceChange& change, const Console& console) {
  const auto kind = text_of(change.kind);
  std::string out =
      fmt::format("    {} {}  ({})", kind.mark, printable(change.id, kLine), printable(change.origin, kLine));
  if (change.kind == Kind::Forgotten) out += ": no longer declared; the host keeps it";
  out += "\n";
  if (change.kind == Kind::Removed || change.kind == Kind::Forgotten) return out;
  for (const auto& detail : change.details) {
    const auto value = [](const std::string& text) { return text.empty() ? "(none)" : printable(text, kValue); };
    out += change.kind == Kind::Added
               ? fmt::format("        {}: {}\n", detail.key, value(detail.to))
               : fmt::format("        {}: {} → {}\n", detail.key, value(detail.from), value(detail.to));
  }
  return out + diff_lines(change.diff, console);
}

Json change_json(const ResourceChange& change) {
  Json details = Json::array();
  for (const auto& each : change.details) {
    details.push(Json::object({{"key", each.key}, {"from", each.from}, {"to", each.to}}));
  }
  Json out = Json::object(
      {{"kind", text_of(change.kind).word}, {"resource", change.id}, {"origin", change.origin}, {"details", details}});
  if (!change.diff.empty()) out.set("diff", change.diff);
  return out;
}

std::string problem_line(const registry::Problem& problem) {
  return fmt::format("{}:{}:{}: {}", problem.file, problem.line, problem.column, problem.message);
}

}  // namespace

std::string hosts_for_people(const std::vector<HostPlan>& hosts, std::size_t left_out, const Console& console) {
  std::string out;
  for (const auto& host : hosts) {
    const auto where = host.machine.empty() ? std::string("not placed") : printable(host.machine, kValue);
    out += console.paint(Style::Bold, fmt::format("Host of {} ({}): {}", printable(host.instance, kValue), where,
                                                  host.applied ? "applied as root" : "reported only")) +
           "\n";
    for (const auto& problem : host.problems) {
      out += "    " + console.paint(Style::Bad, "cannot be applied: " + printable(problem_line(problem), 600)) + "\n";
    }
    if (!host.unproven.empty()) {
      out += "    " + console.paint(Style::Warning, "unproven: " + printable(host.unproven, kLine)) + "\n";
    }
    for (const auto& change : host.changes) out += change_lines(change, console);
  }
  if (left_out > 0) out += fmt::format("and {} more host{}\n", left_out, left_out == 1 ? "" : "s");
  return out.empty() ? out : out + "\n";
}

Json hosts_as_json(const std::vector<HostPlan>& hosts) {
  Json out = Json::array();
  for (const auto& host : hosts) {
    Json changes = Json::array();
    for (const auto& change : host.changes) changes.push(change_json(change));
    Json problems = Json::array();
    for (const auto& problem : host.problems) problems.push(problem_line(problem));
    out.push(Json::object({{"instance", host.instance},
                           {"machine", host.machine},
                           {"applied", host.applied},
                           {"unproven", host.unproven},
                           {"changes", changes},
                           {"problems", problems}}));
  }
  return out;
}

}  // namespace nimbus::cli
