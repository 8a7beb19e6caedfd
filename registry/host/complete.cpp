#include "registry/host/complete.hpp"

#include <algorithm>
#include <set>

#include <fmt/core.h>

#include "base/text/text.hpp"

namespace nimbus::registry {
namespace {

using base::printable;

class Completeness {
 public:
  Completeness(const Profile& profile, const MergedProfile& merged, std::vector<Problem>& problems)
      : profile_(profile), merged_(merged), problems_(problems) {}

  void run() {
    files();
    packages();
    units();
    disks();
    interfaces();
  }

 private:
  void add(std::string_view key, std::string_view name, ProblemCode code, std::string message) {
    problems_.push_back(problem_at(merged_.place(key, name), code, std::move(message)));
  }

  void needs(bool has, std::string_view key, std::string_view name, std::string_view what) {
    if (!has) add(key, name, ProblemCode::MissingKey, fmt::format("{} '{}' needs {}", key, printable(name, 80), what));
  }

  void files() {
    for (const auto& each : profile_.files) {
      const bool has = each.content || !each.source.empty() || each.state == RowState::Absent;
      needs(has, "file", each.path, "'content' or 'source'");
    }
    for (const auto& each : profile_.links) {
      needs(!each.target.empty() || each.state == RowState::Absent, "link", each.path, "a 'target'");
    }
    for (const auto& each : profile_.ca_certificates) {
      const bool has = each.content || !each.source.empty() || each.state == RowState::Absent;
      needs(has, "ca_certificate", each.name, "'content' or 'source'");
    }
    for (const auto& each : profile_.sudoers) {
      needs(!each.rules.empty() || each.state == RowState::Absent, "sudoers", each.name, "'rules'");
    }
  }

  void packages() {
    for (const auto& each : profile_.repositories) {
      if (each.state == RowState::Absent) continue;
      needs(!each.url.empty(), "repository", each.name, "a 'url'");
      needs(!each.suites.empty(), "repository", each.name, "'suites'");
      const bool exact = std::ranges::any_of(each.suites, [](const auto& suite) { return suite.ends_with('/'); });
      needs(exact || !each.components.empty(), "repository", each.name, "'components'");
      needs(each.key && (each.key->content || !each.key->source.empty()), "repository", each.name,
            "a 'key' with content or source");
    }
  }

  void units() {
    for (const auto& each : profile_.timers) {
      if (each.state == RowState::Absent) continue;
      needs(!each.calendar.empty(), "timer", each.name, "a 'calendar'");
      needs(!each.command.empty(), "timer", each.name, "a 'command'");
    }
    for (const auto& each : profile_.commands) {
      needs(!each.run.empty(), "command", each.name, "'run'");
      needs(!each.creates.empty() || !each.unless.empty(), "command", each.name,
            "'creates' or 'unless': it runs once, and something must show that it has");
    }
  }

  void disks() {
    for (const auto& each : profile_.mounts) {
      if (each.state == RowState::Absent) continue;
      needs(!each.source.empty(), "mount", each.path, "a 'source'");
      needs(!each.fs.empty(), "mount", each.path, "'fs'");
    }
    for (const auto& each : profile_.swaps) {
      needs(each.size_mib || each.state == RowState::Absent, "swap", each.path, "'size_mib'");
    }
  }

  void interfaces() {
    std::set<std::string_view> names;
    for (const auto& each : profile_.interfaces) names.insert(each.name);
    std::set<std::string_view> members;
    for (const auto& each : profile_.interfaces) {
      if (each.vlan && each.bond) {
        add("interface", each.name, ProblemCode::Conflict, "'vlan' and 'bond' exclude each other");
      }
      if (each.vlan && !names.contains(each.vlan->link)) {
        add("interface", each.name, ProblemCode::UnknownReference,
            fmt::format("its link '{}' needs an [[interface]] of its own", each.vlan->link));
      }
      if (!each.bond) continue;
      for (const auto& member : each.bond->members) {
        if (!members.insert(member).second) {
          add("interface", each.name, ProblemCode::Conflict, fmt::format("'{}' is in two bonds", member));
        }
      }
    }
    for (const auto& each : profile_.interfaces) {
      const bool addressed = each.dhcp != Dhcp::None || !each.addresses.empty() || !each.gateway.empty();
      if (!members.contains(each.name) || !addressed) continue;
      add("interface", each.name, ProblemCode::Conflict,
          fmt::format("'{}' is in a bond: addresses belong to the bond", each.name));
    }
  }

  const Profile& profile_;
  const MergedProfile& merged_;
  std::vector<Problem>& problems_;
};

}  // namespace

Problem problem_at(const Place& place, ProblemCode code, std::string message) {
  return {code, Severity::Error, place.file, place.span.begin.line, place.span.begin.column, 0, std::move(message), {}};
}

void check_merged(const Profile& profile, const MergedProfile& merged, std::vector<Problem>& problems) {
  Completeness(profile, merged, problems).run();
}

}  // namespace nimbus::registry
