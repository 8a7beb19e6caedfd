// The hosts of a plan for a comment on a pull request.
#include <algorithm>

#include <fmt/core.h>

#include "base/text/text.hpp"
#include "cli/plan_hosts_report.hpp"
#include "cli/plan_report.hpp"

namespace nimbus::cli {
namespace {

using registry::ResourceChange;
using Kind = ResourceChange::Kind;

constexpr std::size_t kMostChanges = 40;     // of a host
constexpr std::size_t kMostNames = 10;       // of hosts with the same changes
constexpr std::size_t kMostDiff = 4'000;     // bytes of a file's, before they are escaped
constexpr std::size_t kLine = 200;           // of a line of a file
constexpr std::size_t kMarkupOfCode = 6;     // "<code>"
constexpr std::size_t kMarkupOfCodeEnd = 7;  // "</code>"

enum class Diffs { Shown, LeftOut };

/// Hosts that change in the same way; most do, as they share profiles.
struct Group {
  std::vector<const HostPlan*> hosts;
  const HostPlan& like() const { return *hosts.front(); }
};

std::string text_of(const registry::Problem& problem) {
  return fmt::format("{}:{}:{}: {}", problem.file, problem.line, problem.column, problem.message);
}

bool same(const HostPlan& a, const HostPlan& b) {
  return a.applied == b.applied && a.unproven == b.unproven && a.changes == b.changes &&
         std::ranges::equal(a.problems, b.problems, {}, text_of, text_of);
}

std::vector<Group> groups_of(const std::vector<HostPlan>& hosts) {
  std::vector<Group> out;
  for (const auto& host : hosts) {
    const auto found = std::ranges::find_if(out, [&](const Group& group) { return same(group.like(), host); });
    if (found == out.end()) {
      out.push_back({{&host}});
    } else {
      found->hosts.push_back(&host);
    }
  }
  return out;
}

/// One line of HTML, whatever the file holds: line ends are entities, so nothing of it can end the block.
std::string diff_block(const std::string& diff) {
  std::string lines;
  std::size_t bytes = 0;
  for (const auto line : base::split(diff, '\n')) {
    if (bytes > kMostDiff) {
      lines += "…&#10;";
      break;
    }
    bytes += line.size();
    std::string code = markdown_code(line, kLine);
    code = code.substr(kMarkupOfCode, code.size() - kMarkupOfCode - kMarkupOfCodeEnd);
    lines += code + "&#10;";
  }
  return "  <pre>" + lines + "</pre>\n";
}

std::string change_text(const ResourceChange& change, Diffs diffs) {
  const auto word = [&]() -> std::string_view {
    switch (change.kind) {
      case Kind::Added:
        return "added";
      case Kind::Changed:
        return "changed";
      case Kind::Removed:
        return "removed from the host";
      case Kind::Forgotten:
        return "no longer declared; the host keeps it";
    }
    return "changed";
  }();
  std::string out = fmt::format("- {} {}, by {}\n", markdown_code(change.id), word, markdown_code(change.origin));
  if (change.kind == Kind::Removed || change.kind == Kind::Forgotten) return out;
  for (const auto& detail : change.details) {
    const auto value = [](const std::string& text) { return text.empty() ? "(none)" : markdown_code(text, 120); };
    const std::string from = change.kind == Kind::Added ? "" : value(detail.from) + " → ";
    out += fmt::format("  - {} {}{}\n", markdown_code(detail.key), from, value(detail.to));
  }
  if (change.diff.empty()) return out;
  return out +
         (diffs == Diffs::Shown ? "\n" + diff_block(change.diff) : "  - its lines change; too long to show here\n");
}

std::string group_text(const Group& group, Diffs diffs) {
  std::string out = group.hosts.size() == 1 ? "Host of " : "Hosts of ";
  for (std::size_t i = 0; i < group.hosts.size() && i < kMostNames; ++i) {
    const auto& host = *group.hosts[i];
    out += fmt::format("{}{} ({})", i == 0 ? "" : ", ", markdown_code(host.instance, 130),
                       host.machine.empty() ? "not placed" : markdown_code(host.machine, 70));
  }
  if (group.hosts.size() > kMostNames) out += fmt::format(", and {} more", group.hosts.size() - kMostNames);
  out += group.like().applied ? ": applied as root\n\n" : ": reported only\n\n";
  for (const auto& problem : group.like().problems) {
    out += fmt::format("- **cannot be applied**: {}\n", markdown_code(text_of(problem), 600));
  }
  if (!group.like().unproven.empty()) {
    out += fmt::format("- **unproven**: {}\n", markdown_code(group.like().unproven, 300));
  }
  const auto& changes = group.like().changes;
  for (std::size_t i = 0; i < changes.size() && i < kMostChanges; ++i) out += change_text(changes[i], diffs);
  if (changes.size() > kMostChanges) out += fmt::format("- and {} more\n", changes.size() - kMostChanges);
  return out + "\n";
}

}  // namespace

std::string hosts_as_markdown(const std::vector<HostPlan>& hosts, std::size_t left_out, std::size_t most_bytes) {
  if (hosts.empty() && left_out == 0) return {};
  std::string out = "\n#### Hosts\n\n";
  constexpr std::size_t kLast = 100;
  for (const auto& group : groups_of(hosts)) {
    std::string text = group_text(group, Diffs::Shown);
    if (out.size() + text.size() + kLast > most_bytes) text = group_text(group, Diffs::LeftOut);
    if (out.size() + text.size() + kLast > most_bytes) {
      left_out += group.hosts.size();
    } else {
      out += text;
    }
  }
  if (left_out > 0) {
    out += fmt::format("**and {} more host{}**: run `nimbusctl plan` for all\n", left_out, left_out == 1 ? "" : "s");
  }
  return out;
}

}  // namespace nimbus::cli
