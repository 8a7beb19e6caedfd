#include "reconcilers/placement/place.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/core.h>

namespace nimbus::reconcilers {
namespace {

using Number = std::optional<std::int64_t>;

bool too_few(Number least, Number has) { return least && has.value_or(0) < *least; }

/// "has 8 cores; 16 are asked for", or that nobody declared them; empty: enough.
std::string shortage(Number least, Number has, std::string_view what) {
  if (!too_few(least, has)) return {};
  if (!has) return fmt::format("{} are asked for, and its file declares no {}", *least, what);
  return fmt::format("has {} {}; {} are asked for", *has, what, *least);
}

bool lacks_disk(const Instance::Requirements& wanted, const HardwareDeclaration& hardware) {
  auto disks = hardware.disks;  // each may serve one requirement: the smallest that does
  std::sort(disks.begin(), disks.end(),
            [](const auto& a, const auto& b) { return a.size_gib.value_or(0) < b.size_gib.value_or(0); });
  auto asked = wanted.disks;  // the hardest to please first
  std::sort(asked.begin(), asked.end(), [](const auto& a, const auto& b) {
    return std::tuple(a.type.has_value(), a.size_gib.value_or(0)) >
           std::tuple(b.type.has_value(), b.size_gib.value_or(0));
  });
  for (const auto& disk : asked) {
    const auto fits = std::find_if(disks.begin(), disks.end(), [&](const auto& has) {
      return !too_few(disk.size_gib, has.size_gib) && (!disk.type || has.type == disk.type);
    });
    if (fits == disks.end()) return true;
    disks.erase(fits);
  }
  return false;
}

/// The first requirement that a machine does not meet; empty: all are met.
std::string unmet(const Instance::Requirements& wanted, const DesiredMachine& machine,
                  const std::optional<Arch>& image_arch) {
  const auto& hardware = machine.hardware;
  if (!wanted.machine.empty() && wanted.machine != machine.id.machine) return "the instance asks for " + wanted.machine;
  const Arch arch = hardware.arch.value_or(Arch::X86_64);
  if (wanted.arch && arch != *wanted.arch)
    return fmt::format("is {}; {} is asked for", name_of(arch), name_of(*wanted.arch));
  if (image_arch && arch != *image_arch)
    return fmt::format("is {}, and the image is for {}", name_of(arch), name_of(*image_arch));
  if (auto cores = shortage(wanted.cpu_cores, hardware.cpu_cores, "cores"); !cores.empty()) return cores;
  if (auto memory = shortage(wanted.memory_gib, hardware.memory_gib, "GiB of memory"); !memory.empty()) return memory;
  for (const auto& [key, value] : wanted.labels) {
    const auto label = machine.labels.find(key);
    if (label == machine.labels.end()) return "lacks the label " + key + " = " + value;
    if (label->second != value) return fmt::format("has the label {} = {}; {} is asked for", key, label->second, value);
  }
  if (lacks_disk(wanted, hardware)) return "lacks a disk that the instance asks for";
  return {};
}

/// What would end in a boot that cannot succeed, or an installer that refuses, is not begun.
std::string not_installable(const DesiredMachine& machine) {
  if (machine.boot.method != BootMethod::Pxe)
    return fmt::format("boot.method = \"{}\" is not supported yet: only \"pxe\" is", name_of(machine.boot.method));
  const auto& identity = machine.identity;
  if (!identity.bmc_guid.empty() && identity.serial.empty() && identity.uuid.empty())
    return "its file has no identity but bmc_guid, which the installer cannot see: it needs a serial or uuid";
  return {};
}

std::string too_near(const Instance& instance, const DesiredMachine& machine, const Surroundings& around) {
  const auto spread = instance.requirements.spread;
  if (spread == Spread::None) return {};
  for (const auto& neighbour : around.group) {
    if (neighbour.provider != machine.id.provider) continue;
    if (spread == Spread::Provider)
      return "spread = \"provider\": " + neighbour.instance + " of the same group is at this provider";
    if (machine.location.rack.empty() || neighbour.rack.empty())
      return "spread = \"rack\": its rack, or that of " + neighbour.instance + ", is not declared";
    if (neighbour.rack == machine.location.rack)
      return fmt::format("spread = \"rack\": {} of the same group is in rack {} too", neighbour.instance,
                         neighbour.rack);
  }
  return {};
}

std::string beyond_quota(const DesiredMachine& machine, const Surroundings& around) {
  const auto beyond = [](Number limit, std::int64_t used, std::int64_t more, std::string_view what) -> std::string {
    if (!limit || used + more <= *limit) return {};
    return fmt::format("the quota of {} {} would be exceeded: {} are taken, and it has {}", *limit, what, used, more);
  };
  const auto& used = around.used;
  if (around.quota.instances && used.instances >= *around.quota.instances)
    return fmt::format("the quota of {} instances is used up", *around.quota.instances);
  if (auto cores = beyond(around.quota.cpu_cores, used.cpu_cores, machine.hardware.cpu_cores.value_or(0), "cores");
      !cores.empty())
    return cores;
  return beyond(around.quota.memory_gib, used.memory_gib, machine.hardware.memory_gib.value_or(0), "GiB of memory");
}

bool names(const std::vector<std::string>& list, const std::string& name) {
  return std::any_of(list.begin(), list.end(), [&](const auto& each) { return each == "*" || each == name; });
}

auto waste(const Candidate& candidate) {
  const auto& machine = *candidate.machine;
  std::int64_t disk_gib = 0;
  for (const auto& disk : machine.hardware.disks) disk_gib += disk.size_gib.value_or(0);
  return std::tuple(machine.hardware.cpu_cores.value_or(0), machine.hardware.memory_gib.value_or(0), disk_gib,
                    std::string_view(machine.id.provider), std::string_view(machine.id.machine));
}

}  // namespace

std::string why_not(const Instance& instance, const Candidate& candidate, const Surroundings& around) {
  const auto& machine = *candidate.machine;
  if (!candidate.claimed_by.empty()) return "in use by " + candidate.claimed_by;
  if (machine.lifecycle.hands_off) return "hands_off = true";
  if (machine.lifecycle.state != LifecycleState::InService)
    return fmt::format("not in service: {}", name_of(machine.lifecycle.state));
  if (!candidate.admitted) return "the provider does not admit " + instance.tenant;
  if (!names(around.providers, machine.id.provider)) return instance.tenant + " may not use this provider";
  const auto& reserved = machine.reserved_for;
  if (!reserved.empty() && std::find(reserved.begin(), reserved.end(), instance.tenant) == reserved.end()) {
    return "reserved for others";
  }
  if (machine.mac.empty()) return "its file does not say which NIC boots from the network (identity.mac)";
  if (auto reason = not_installable(machine); !reason.empty()) return reason;
  if (!candidate.unbootable.empty()) return candidate.unbootable;
  if (auto reason = unmet(instance.requirements, machine, around.image_arch); !reason.empty()) return reason;
  if (auto near = too_near(instance, machine, around); !near.empty()) return near;
  if (auto quota = beyond_quota(machine, around); !quota.empty()) return quota;
  if (!candidate.healthy) return candidate.unhealthy.empty() ? "not healthy" : candidate.unhealthy;
  if (!candidate.available && machine.lifecycle.existing_data != ExistingData::Erase) {
    return "may hold data: Nimbus has not erased it, and existing_data is \"keep\"";
  }
  return {};
}

Surroundings surroundings_of(const Instance& instance, const std::vector<OtherInstance>& others, const Tenant* tenant,
                             std::optional<Arch> image_arch) {
  Surroundings out{.providers = {"*"}, .image_arch = image_arch};
  if (tenant != nullptr) {
    out.quota = tenant->quota;
    out.providers = tenant->providers;
  }
  for (const auto& [other, machine] : others) {
    if (other->tenant != instance.tenant || other->name == instance.name) continue;
    const auto& asked = other->requirements;
    out.used.instances += 1;
    out.used.cpu_cores += (machine != nullptr ? machine->hardware.cpu_cores : asked.cpu_cores).value_or(0);
    out.used.memory_gib += (machine != nullptr ? machine->hardware.memory_gib : asked.memory_gib).value_or(0);
    if (instance.requirements.spread == Spread::None || asked.group != instance.requirements.group) continue;
    if (machine != nullptr) {
      out.group.push_back({other->id(), machine->id.provider, machine->location.rack});
    } else if (instance.requirements.spread == Spread::Provider && other->id() < instance.id()) {
      out.group.push_back({other->id(), other->provider, {}});  // it will be there, and it comes first
    }
  }
  return out;
}

const Candidate* choose_machine(const Instance& instance, const std::vector<Candidate>& candidates,
                                const Surroundings& around) {
  const std::string& named = instance.requirements.machine;
  const Candidate* best = nullptr;
  for (const auto& candidate : candidates) {
    // What is cheap to see comes first: most of many candidates end here.
    if (!candidate.claimed_by.empty() || (!named.empty() && named != candidate.machine->id.machine)) continue;
    if (best != nullptr && !(waste(candidate) < waste(*best))) continue;
    if (why_not(instance, candidate, around).empty()) best = &candidate;
  }
  return best;
}

Placement place_instance(const Instance& instance, const std::vector<Candidate>& candidates,
                         const Surroundings& around) {
  Placement placement;
  const Candidate* best = nullptr;
  std::vector<const Candidate*> fitting;
  for (const auto& candidate : candidates) {
    const auto& id = candidate.machine->id;
    if (auto why = why_not(instance, candidate, around); !why.empty()) {
      placement.others.push_back({id.machine, std::move(why), id.provider});
      continue;
    }
    fitting.push_back(&candidate);
    if (best == nullptr || waste(candidate) < waste(*best)) best = &candidate;
  }
  if (best != nullptr) {
    placement.machine = best->machine->id.machine;
    placement.provider = best->machine->id.provider;
  }
  for (const auto* candidate : fitting) {
    const auto& id = candidate->machine->id;
    if (candidate != best) placement.others.push_back({id.machine, "another fits with less waste", id.provider});
  }
  std::sort(placement.others.begin(), placement.others.end(), [](const auto& a, const auto& b) {
    return std::tie(a.provider, a.machine) < std::tie(b.provider, b.machine);
  });
  return placement;
}

}  // namespace nimbus::reconcilers
