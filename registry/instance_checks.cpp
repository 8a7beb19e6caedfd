// Instances against everything that they refer to.
#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include <fmt/core.h>

#include "base/text/text.hpp"
#include "registry/address.hpp"
#include "registry/checks.hpp"
#include "registry/cross_checks.hpp"

namespace nimbus::registry {
namespace {

class InstanceChecker {
 public:
  explicit InstanceChecker(CrossReport& report) : report_(report), snapshot_(report.snapshot()) {
    bool pinned = false;
    for (const auto& entry : snapshot_.instances) pinned = pinned || !entry->value.requirements.machine.empty();
    if (!pinned) return;
    for (const auto& entry : snapshot_.machines) machines_[entry->provider + "/" + entry->name] = entry.get();
  }

  void run() {
    for (const auto& entry : snapshot_.instances) {
      if (!has_errors(entry->problems)) one(*entry);
    }
    for (const auto& [tenant, used] : used_) quota(tenant, used);
  }

 private:
  struct Used {
    std::int64_t instances = 0, cpu_cores = 0, memory_gib = 0;
    const InstanceEntry* last = nullptr;
  };

  void add(const InstanceEntry& entry, ProblemCode code, std::string_view key, std::string message,
           std::string related = {}) {
    report_.add(code, entry.path, key, std::move(message), std::move(related));
  }

  template <class T>
  std::vector<std::string> names(const Entries<T>& entries) const {
    std::vector<std::string> out;
    for (const auto& each : entries) out.push_back(each->name);
    return out;
  }

  void one(const InstanceEntry& entry) {
    const auto& instance = entry.value;
    const auto* provider = find_provider(snapshot_, instance.provider);
    const auto* tenant = find_tenant(snapshot_, entry.tenant);
    if (tenant == nullptr) {
      add(entry, ProblemCode::UnknownReference, {},
          fmt::format("tenant '{}' has no policy/tenants/{}.toml: a maintainer must add it", entry.tenant,
                      entry.tenant));
    } else if (!is_unreadable(tenant->problems) && !admits(tenant->value.providers, instance.provider)) {
      add(entry, ProblemCode::NotAdmitted, "provider",
          fmt::format("the policy of tenant '{}' does not allow provider '{}'", entry.tenant, instance.provider),
          tenant->path);
    }
    if (provider == nullptr) {
      add(entry, ProblemCode::UnknownReference, "provider",
          fmt::format("there is no provider '{}'{}", instance.provider,
                      meant(instance.provider, names(snapshot_.providers))));
    } else if (!is_unreadable(provider->problems) && !admits(provider->value.provider.tenants, entry.tenant)) {
      add(entry, ProblemCode::NotAdmitted, "provider",
          fmt::format("provider '{}' does not admit tenant '{}'", instance.provider, entry.tenant), provider->path);
    }
    const auto* image = find_image(snapshot_, entry.tenant, instance.provider, instance.image);
    if (image == nullptr) {
      add(entry, ProblemCode::UnknownReference, "image",
          fmt::format("there is no image '{}'{}", instance.image, meant(instance.image, names(snapshot_.images))));
    } else if (instance.requirements.arch && *instance.requirements.arch != image->value.arch) {
      add(entry, ProblemCode::ArchMismatch, "requirements.arch",
          fmt::format("image '{}' is for {}", instance.image, name_of(image->value.arch)), image->path);
    }
    for (std::size_t i = 0; i < instance.profiles.size(); ++i) {
      const auto& name = instance.profiles[i];
      if (find_profile(snapshot_, entry.tenant, name) != nullptr) continue;
      add(entry, ProblemCode::UnknownReference, fmt::format("profiles.{}", i),
          fmt::format("there is no profile '{}'{}", name, meant(name, names(snapshot_.profiles))));
    }
    if (provider != nullptr) networks(entry);
    const MachineEntry* machine = provider != nullptr ? pin(entry, image) : nullptr;
    count(entry, machine);
  }

  void networks(const InstanceEntry& entry) {
    const auto& instance = entry.value;
    for (std::size_t i = 0; i < instance.networks.size(); ++i) {
      const auto& attachment = instance.networks[i];
      const auto* network = find_network(snapshot_, instance.provider, attachment.name);
      const auto key = fmt::format("network.{}.name", i);
      if (network == nullptr) {
        std::vector<std::string> known;
        for (const auto& each : snapshot_.networks) {
          if (each->provider == instance.provider) known.push_back(each->name);
        }
        add(entry, ProblemCode::UnknownReference, key,
            fmt::format("provider '{}' has no network '{}'{}", instance.provider, attachment.name,
                        meant(attachment.name, known)));
        continue;
      }
      if (is_unreadable(network->problems)) continue;
      const auto role = network->value.role;
      if (role != NetworkRole::Tenant && role != NetworkRole::Public) {
        add(entry, ProblemCode::WrongRole, key,
            fmt::format("network '{}' has the role {}; instances use role tenant or public", attachment.name,
                        name_of(role)),
            network->path);
      } else if (role == NetworkRole::Tenant && !admits(network->value.tenants, entry.tenant)) {
        add(entry, ProblemCode::NotAdmitted, key,
            fmt::format("network '{}' does not admit tenant '{}'", attachment.name, entry.tenant), network->path);
      }
      address(entry, *network, attachment, i);
    }
  }

  void address(const InstanceEntry& entry, const Entry<Network>& network, const Instance::Attachment& attachment,
               std::size_t i) {
    const auto ip = parse_ip(attachment.address);
    if (!ip) return;
    const auto key = fmt::format("network.{}.address", i);
    const auto cidr = parse_cidr(network.value.cidr);
    if (cidr && !cidr->contains(*ip)) {
      add(entry, ProblemCode::OutsideNetwork, key,
          fmt::format("{} lies outside {} of network '{}'", attachment.address, network.value.cidr, network.name),
          network.path);
    }
    const auto [other, fresh] = addresses_.try_emplace({&network, *ip}, &entry);
    if (fresh) return;
    add(entry, ProblemCode::Duplicate, key,
        fmt::format("{} is also the address of {} ({})", attachment.address, other->second->id(), other->second->path),
        other->second->path);
  }

  const MachineEntry* pin(const InstanceEntry& entry, const Entry<Image>* image) {
    const auto& wanted = entry.value.requirements;
    if (wanted.machine.empty()) return nullptr;
    const auto found = machines_.find(entry.value.provider + "/" + wanted.machine);
    if (found == machines_.end()) {
      std::vector<std::string> known;
      for (const auto& each : snapshot_.machines) {
        if (each->provider == entry.value.provider) known.push_back(each->name);
      }
      add(entry, ProblemCode::UnknownReference, "requirements.machine",
          fmt::format("provider '{}' has no machine '{}'{}", entry.value.provider, wanted.machine,
                      meant(wanted.machine, known)));
      return nullptr;
    }
    const MachineEntry& machine = *found->second;
    const auto [other, fresh] = pinned_.try_emplace(&machine, &entry);
    if (!fresh) {
      add(entry, ProblemCode::Duplicate, "requirements.machine",
          fmt::format("machine '{}' is also pinned by {} ({})", wanted.machine, other->second->id(),
                      other->second->path),
          other->second->path);
    }
    const auto* kind = find_class(snapshot_, entry.value.provider, machine.value.class_name);
    const bool known = !has_errors(machine.problems) && (kind == nullptr || !has_errors(kind->problems));
    if (known) fits(entry, machine.value, machine.path, image);
    return &machine;
  }

  void fits(const InstanceEntry& entry, const DesiredMachine& machine, const std::string& path,
            const Entry<Image>* image) {
    const auto& wanted = entry.value.requirements;
    if (!machine.reserved_for.empty() && !admits(machine.reserved_for, entry.tenant)) {
      add(entry, ProblemCode::NotAdmitted, "requirements.machine",
          fmt::format("machine '{}' is reserved for other tenants", wanted.machine), path);
    }
    const auto& hardware = machine.hardware;
    if (image != nullptr && hardware.arch && *hardware.arch != image->value.arch) {
      add(entry, ProblemCode::ArchMismatch, "image",
          fmt::format("image '{}' is for {}, machine '{}' is {}", entry.value.image, name_of(image->value.arch),
                      wanted.machine, name_of(*hardware.arch)),
          path);
    }
    const auto enough = [&](const auto& has, const auto& asked, std::string_view key) {
      if (!has || !asked || *has >= *asked) return;
      add(entry, ProblemCode::TooSmall, fmt::format("requirements.{}", key),
          fmt::format("machine '{}' has {} = {}, the requirements ask for {}", wanted.machine, key, *has, *asked),
          path);
    };
    enough(hardware.cpu_cores, wanted.cpu_cores, "cpu_cores");
    enough(hardware.memory_gib, wanted.memory_gib, "memory_gib");
    for (const auto& [key, value] : wanted.labels) {
      const auto has = machine.labels.find(key);
      if (has != machine.labels.end() && has->second == value) continue;
      add(entry, ProblemCode::TooSmall, "requirements.labels",
          fmt::format("machine '{}' does not have the label {} = \"{}\"", wanted.machine, base::printable(key, 60),
                      base::printable(value, 60)),
          path);
    }
  }

  void count(const InstanceEntry& entry, const MachineEntry* machine) {
    auto& used = used_[entry.tenant];
    const auto& wanted = entry.value.requirements;
    const auto larger = [](const std::optional<std::int64_t>& asked, const std::optional<std::int64_t>& placed) {
      return placed.value_or(asked.value_or(0));
    };
    const std::optional<std::int64_t> none;
    // No sum of real machines comes near the limits of 64 bit: each is capped by the format.
    used.instances += 1;
    used.cpu_cores += larger(wanted.cpu_cores, machine != nullptr ? machine->value.hardware.cpu_cores : none);
    used.memory_gib += larger(wanted.memory_gib, machine != nullptr ? machine->value.hardware.memory_gib : none);
    used.last = &entry;
  }

  void quota(const std::string& tenant, const Used& used) {
    const auto* policy = find_tenant(snapshot_, tenant);
    if (policy == nullptr) return;
    // In the last instance: a new one is what goes over most often. Its own line about it,
    // else that of the machine whose hardware counts, else the provider's, which it must have.
    const auto line = [&](std::string_view key, bool own) {
      if (own) return fmt::format("requirements.{}", key);
      const bool pinned = !used.last->value.requirements.machine.empty() && key != "instances";
      return std::string(pinned ? "requirements.machine" : "provider");
    };
    const auto within = [&](std::int64_t sum, const std::optional<std::int64_t>& limit, std::string_view key,
                            bool own = false) {
      if (!limit || sum <= *limit) return;
      report_.add(ProblemCode::QuotaExceeded, used.last->path, line(key, own),
                  fmt::format("the instances of tenant '{}' ask for {} = {}, its quota is {} ({})", tenant, key, sum,
                              *limit, policy->path),
                  policy->path);
    };
    const auto& quota = policy->value.quota;
    within(used.instances, quota.instances, "instances");
    const auto& wanted = used.last->value.requirements;
    within(used.cpu_cores, quota.cpu_cores, "cpu_cores", wanted.cpu_cores.has_value());
    within(used.memory_gib, quota.memory_gib, "memory_gib", wanted.memory_gib.has_value());
  }

  CrossReport& report_;
  const Snapshot& snapshot_;
  std::unordered_map<std::string, const MachineEntry*> machines_;
  std::map<std::pair<const void*, IpAddress>, const InstanceEntry*> addresses_;
  std::map<const void*, const InstanceEntry*> pinned_;
  std::map<std::string, Used> used_;
};

}  // namespace

void check_instances(CrossReport& report) { InstanceChecker(report).run(); }

}  // namespace nimbus::registry
