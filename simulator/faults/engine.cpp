#include "simulator/faults/engine.hpp"

#include <algorithm>

namespace nimbus::simulator {

std::uint64_t FaultEngine::add(FaultRule rule, MonoTime now) {
  rules_.push_back({next_id_, std::move(rule), now});
  return next_id_++;
}

bool FaultEngine::remove(std::uint64_t id) {
  return std::erase_if(rules_, [id](const Active& a) { return a.id == id; }) > 0;
}

void FaultEngine::count_use(std::uint64_t id) {
  for (auto& active : rules_) {
    if (active.id == id) ++active.used;
  }
}

bool FaultEngine::concerns(const FaultRule& rule, std::string_view machine) noexcept {
  return rule.machines.empty() || std::any_of(rule.machines.begin(), rule.machines.end(),
                                              [&](const auto& pattern) { return matches(pattern, machine); });
}

bool FaultEngine::applies(Active& active, FaultSide side, std::string_view machine, MonoTime now) {
  const FaultRule& rule = active.rule;
  if (is_event(rule.kind)) return false;
  if (rule.side != FaultSide::Both && rule.side != side) return false;
  if (rule.count && active.used >= *rule.count) return false;
  if (now < active.since + rule.after) return false;
  if (rule.lasts && now >= active.since + rule.after + *rule.lasts) return false;
  return concerns(rule, machine);
}

void FaultEngine::add_to(Trouble& trouble, const FaultRule& rule) {
  switch (rule.kind) {
    case FaultKind::Drop:
      trouble.drop = true;
      return;
    case FaultKind::Delay:
      trouble.delay += rule.delay;
      return;
    case FaultKind::Drip:
      trouble.bytes_per_second = rule.bytes;
      return;
    case FaultKind::Truncate:
      trouble.truncate_after = rule.bytes;
      return;
    case FaultKind::Garbage:
      trouble.garbage = true;
      return;
    case FaultKind::Status:
      trouble.status = rule.status;
      trouble.retry_after = rule.retry_after;
      return;
    case FaultKind::CompletionCode:
      trouble.completion_code = rule.completion_code;
      return;
    case FaultKind::Duplicate:
      trouble.duplicate = true;
      return;
    case FaultKind::Lie:
      trouble.lie = true;
      return;
    case FaultKind::Stale:
      trouble.stale = true;
      return;
    case FaultKind::NoSessions:
      trouble.no_sessions = true;
      return;
    case FaultKind::RestartBmc:
    case FaultKind::PurgeTasks:
    case FaultKind::NewCertificate:
      return;
  }
}

Trouble FaultEngine::for_ipmi(std::string_view machine, MonoTime now) {
  Trouble trouble;
  for (auto& active : rules_) {
    if (!applies(active, FaultSide::Ipmi, machine, now) || !random_.chance(active.rule.percent)) continue;
    ++active.used;
    add_to(trouble, active.rule);
  }
  return trouble;
}

Trouble FaultEngine::for_redfish(std::string_view machine, const http::Request& request, MonoTime now) {
  Trouble trouble;
  for (auto& active : rules_) {
    if (!applies(active, FaultSide::Redfish, machine, now)) continue;
    if (!active.rule.method.empty() && active.rule.method != request.method) continue;
    if (!matches(active.rule.path, request.path) || !random_.chance(active.rule.percent)) continue;
    ++active.used;
    add_to(trouble, active.rule);
  }
  return trouble;
}

}  // namespace nimbus::simulator
