// systemd units: enabled, running, and restarted or reloaded when something notified them.
#include <fmt/core.h>

#include "reconcilers/configure/primitives.hpp"
#include "reconcilers/configure/shell.hpp"

namespace nimbus::reconcilers::configure {
namespace {

/// What has no [Install] section is started by others: neither enabled nor disabled.
bool cannot_be_enabled(const std::string& state) {
  return state == "static" || state == "indirect" || state == "generated" || state == "transient" || state == "alias";
}

bool enabled_as(bool wanted, const host::UnitFact& fact) {
  if (!fact.exists) return !wanted;
  if (cannot_be_enabled(fact.enabled)) return true;
  return (fact.enabled == "enabled") == wanted;
}

bool is_running(const host::UnitFact& fact) {
  return fact.active == "active" || fact.active == "reloading" || fact.active == "refreshing";
}

}  // namespace

void ask(const host::Unit& it, ProbeNeeds& needs) { needs.units.insert(it.name); }

void check(const host::Unit& it, Check& check) {
  if (!check.shown.systemd) return check.unsupported("systemd does not run this host");
  const auto found = check.shown.units.find(it.name);
  if (found == check.shown.units.end()) return check.unknown("systemctl did not answer");
  const auto& fact = found->second;
  const auto seen = fact.exists ? fact.enabled.empty() ? "unknown" : fact.enabled : "no such unit";
  if (it.enabled && !enabled_as(*it.enabled, fact)) {
    check.differs("enabled", *it.enabled ? "enabled" : "disabled", seen);
  }
  if (it.running && *it.running != is_running(fact)) {
    check.differs("running", *it.running ? "running" : "stopped", fact.exists ? fact.active : "no such unit");
  }
  if (!check.shown.pending.contains(check.id)) return;
  check.gap.notified = check.gap.drifts.empty();
  check.differs(it.on_change == host::Unit::OnChange::Reload ? "reload" : "restart", "done",
                "to do: what it uses changed");
}

void correct(const host::Unit& it, Step& step) {
  const auto name = quote(it.name);
  const auto found = step.shown.units.find(it.name);
  const host::UnitFact fact = found == step.shown.units.end() ? host::UnitFact{} : found->second;
  if (it.enabled && !enabled_as(*it.enabled, fact)) {
    if (*it.enabled && fact.enabled.starts_with("masked"))
      step.line(fmt::format("systemctl unmask -- {} || exit 1", name));
    step.line(fmt::format("systemctl {} -- {} || exit 1", *it.enabled ? "enable" : "disable", name));
  }
  const bool stop = it.running && !*it.running;
  const bool start = it.running && *it.running;
  if (start && fact.active == "failed") step.line(fmt::format("systemctl reset-failed -- {}", name));
  if (stop) {
    step.line(fmt::format("systemctl stop -- {} || exit 1", name));
  } else if (step.pending) {
    const bool reload = it.on_change == host::Unit::OnChange::Reload;
    const std::string verb = reload ? "reload-or-restart" : "restart";
    step.line(fmt::format("systemctl {}{} -- {} || exit 1", start ? "" : "try-", verb, name));
  } else if (start) {
    step.line(fmt::format("systemctl start -- {} || exit 1", name));
  }
  step.line("settled " + quote(state_name(step.id)));
  const bool anew = step.pending && it.on_change == host::Unit::OnChange::Restart;
  // It reads its files as it starts; told to reload before it listens for that it may end.
  if (!it.reload.empty() && (stop || anew || (start && !is_running(fact)))) {
    step.line("settled " + quote(state_name(it.reload)));
  }
}

}  // namespace nimbus::reconcilers::configure
