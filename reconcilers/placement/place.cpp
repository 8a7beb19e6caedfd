#include "reconcilers/placement/place.hpp"

#include <algorithm>
#include <tuple>

namespace nimbus::reconcilers {
namespace {

/// The first requirement that a machine does not meet; empty: all are met.
std::string unmet(const Instance::Requirements& wanted, const DesiredMachine& machine) {
  const auto& hardware = machine.hardware;
  if (!wanted.machine.empty() && wanted.machine != machine.id.machine) return "the instance asks for " + wanted.machine;
  if (wanted.arch && hardware.arch.value_or(Arch::X86_64) != *wanted.arch) return "another architecture";
  const auto too_few = [](std::optional<std::int64_t> least, std::optional<std::int64_t> has) {
    return least && has.value_or(0) < *least;
  };
  if (too_few(wanted.cpu_cores, hardware.cpu_cores)) return "too few cores, or they are not declared";
  if (too_few(wanted.memory_gib, hardware.memory_gib)) return "too little memory, or it is not declared";
  for (const auto& [key, value] : wanted.labels) {
    const auto label = machine.labels.find(key);
    if (label == machine.labels.end() || label->second != value) return "lacks the label " + key + " = " + value;
  }
  auto disks = hardware.disks;  // each may serve one requirement
  for (const auto& disk : wanted.disks) {
    const auto fits = std::find_if(disks.begin(), disks.end(), [&](const auto& has) {
      return !too_few(disk.size_gib, has.size_gib) && (!disk.type || has.type == disk.type);
    });
    if (fits == disks.end()) return "lacks a disk that the instance asks for";
    disks.erase(fits);
  }
  return {};
}

std::string why_not(const Instance& instance, const Candidate& candidate) {
  const auto& machine = *candidate.machine;
  if (!candidate.claimed_by.empty()) return "in use by " + candidate.claimed_by;
  if (machine.lifecycle.hands_off) return "hands_off = true";
  if (machine.lifecycle.state != LifecycleState::InService) return "not in service";
  if (!candidate.admitted) return "the provider does not admit " + instance.tenant;
  const auto& reserved = machine.reserved_for;
  if (!reserved.empty() && std::find(reserved.begin(), reserved.end(), instance.tenant) == reserved.end()) {
    return "reserved for others";
  }
  if (machine.mac.empty()) return "its file does not say which NIC boots from the network (identity.mac)";
  if (auto reason = unmet(instance.requirements, machine); !reason.empty()) return reason;
  if (!candidate.available && machine.lifecycle.existing_data != ExistingData::Erase) {
    return "may hold data: Nimbus has not erased it, and existing_data is \"keep\"";
  }
  if (!candidate.healthy) return candidate.unhealthy.empty() ? "not healthy" : candidate.unhealthy;
  return {};
}

auto waste(const Candidate& candidate) {
  const auto& hardware = candidate.machine->hardware;
  return std::tuple(hardware.cpu_cores.value_or(0), hardware.memory_gib.value_or(0),
                    std::string_view(candidate.machine->id.machine));
}

}  // namespace

Placement place_instance(const Instance& instance, const std::vector<Candidate>& candidates) {
  Placement placement;
  const Candidate* best = nullptr;
  std::vector<const Candidate*> fitting;
  for (const auto& candidate : candidates) {
    if (auto why = why_not(instance, candidate); !why.empty()) {
      placement.others.push_back({candidate.machine->id.machine, std::move(why)});
      continue;
    }
    fitting.push_back(&candidate);
    if (best == nullptr || waste(candidate) < waste(*best)) best = &candidate;
  }
  if (best != nullptr) placement.machine = best->machine->id.machine;
  for (const auto* candidate : fitting) {
    if (candidate != best) placement.others.push_back({candidate->machine->id.machine, "another fits with less waste"});
  }
  std::sort(placement.others.begin(), placement.others.end(),
            [](const auto& a, const auto& b) { return a.machine < b.machine; });
  return placement;
}

}  // namespace nimbus::reconcilers
