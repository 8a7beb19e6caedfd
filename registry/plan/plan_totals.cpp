#include <set>
#include <string_view>

#include <fmt/core.h>

#include "registry/plan/object_plans.hpp"

namespace nimbus::registry {
namespace {

void count(Effect effect, PlanTotals& sum) {
  switch (effect) {
    case Effect::InPlace:
      ++sum.in_place;
      break;
    case Effect::Power:
      ++sum.power;
      break;
    case Effect::Reboot:
      ++sum.reboots;
      break;
    case Effect::PowerOff:
      ++sum.power_offs;
      break;
    case Effect::Install:
      ++sum.installs;
      break;
    case Effect::Reinstall:
      ++sum.reinstalls;
      break;
    case Effect::Release:
      ++sum.releases;
      break;
    case Effect::CredentialExposure:
      ++sum.exposures;
      break;
    case Effect::RootCode:
      ++sum.root_code;
      break;
    case Effect::Unknown:
      ++sum.unknown;
      break;
    case Effect::None:
    case Effect::Reported:
    case Effect::Recorded:
    case Effect::Move:
    case Effect::Unmanaged:
    case Effect::ObserveOnly:
      break;
  }
}

}  // namespace

PlanTotals totals_of(const std::vector<PlanItem>& items) {
  PlanTotals sum;
  for (const auto& item : items) {
    ++sum.items;
    if (item.object == FileKind::Machine) ++sum.machines;
    if (item.object == FileKind::Instance) ++sum.instances;
    if (item.data_loss() == DataLoss::Yes) ++sum.data_loss;
    std::set<Effect> effects;
    bool blocked = false;
    for (const auto& change : item.changes) {
      if (change.blocked.empty()) effects.insert(change.effect);
      blocked = blocked || !change.blocked.empty();
    }
    if (blocked) ++sum.blocked;
    for (const auto effect : effects) count(effect, sum);
  }
  return sum;
}

std::string summary(const Plan& plan) {
  const auto& sum = plan.totals;
  if (sum.items == 0) return "nothing changes";
  std::string out;
  const auto part = [&](std::size_t count, std::string_view one, std::string_view many) {
    if (count == 0) return;
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", count, count == 1 ? one : many);
  };
  part(sum.releases, "release (DATA LOSS)", "releases (DATA LOSS)");
  part(sum.reinstalls, "reinstall (DATA LOSS)", "reinstalls (DATA LOSS)");
  part(sum.installs, "install", "installs");
  part(sum.exposures, "credential exposure", "credential exposures");
  part(sum.power_offs, "power-off", "power-offs");
  part(sum.reboots, "reboot", "reboots");
  part(sum.root_code, "host with root code", "hosts with root code");
  part(sum.power, "power action", "power actions");
  part(sum.in_place, "change in place", "changes in place");
  part(sum.unknown, "unknown effect", "unknown effects");
  part(sum.blocked, "blocked", "blocked");
  std::string head = fmt::format("{} machine{}, {} instance{}", sum.machines, sum.machines == 1 ? "" : "s",
                                 sum.instances, sum.instances == 1 ? "" : "s");
  return out.empty() ? head + ": no effect on hardware" : head + ": " + out;
}

}  // namespace nimbus::registry
