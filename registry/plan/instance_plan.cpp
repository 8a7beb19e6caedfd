#include <fmt/core.h>

#include "core/choice.hpp"
#include "registry/dependencies.hpp"
#include "registry/plan/object_plans.hpp"

namespace nimbus::registry {
namespace {

constexpr std::string_view kProtected =
    "protected: set protected = false, let that commit be accepted, then change this in another one";

class InstanceComparison {
 public:
  InstanceComparison(const InstanceEntry& base, const InstanceEntry& head, const InstanceContext& context)
      : base_(base.value), head_(head.value), base_entry_(base), head_entry_(head), context_(context) {}

  std::vector<Change> run() {
    placement();
    power();
    disk();
    host();
    if (base_.is_protected != head_.is_protected) {
      add(Effect::InPlace, "protected", truth(base_.is_protected), truth(head_.is_protected),
          head_.is_protected ? "reinstall, move and release are refused"
                             : "reinstall, move and release become possible once this commit was accepted");
    }
    return std::move(changes_);
  }

 private:
  static std::string truth(bool value) { return value ? "true" : "false"; }

  Change& add(Effect effect, std::string key, std::string from, std::string to, std::string reason,
              DataLoss data_loss = DataLoss::No) {
    return changes_.emplace_back(
        Change{effect, data_loss, std::move(key), std::move(from), std::move(to), std::move(reason), {}});
  }

  /// Unprotect first: this very commit does not count.
  void guard(Change& change) const {
    const bool published =
        context_.facts != nullptr ? context_.facts->unprotected || !base_.is_protected : !base_.is_protected;
    if (head_.is_protected || !published) change.blocked = kProtected;
  }

  void placement() {
    if (base_.provider != head_.provider) {
      guard(add(Effect::Release, "provider", base_.provider, head_.provider,
                "moves to another provider: released there with its disks erased, installed anew here", DataLoss::Yes));
    }
    if (base_.requirements != head_.requirements) {
      const bool pin = base_.requirements.machine != head_.requirements.machine;
      add(Effect::Reported, pin ? "requirements.machine" : "requirements", pin ? base_.requirements.machine : "",
          pin ? head_.requirements.machine : "",
          "holds for new placements; an instance that runs is never moved by itself, a difference is reported");
    }
    if (base_.networks != head_.networks) add(Effect::InPlace, "network", {}, {}, "switch ports and addresses follow");
    if (base_.on_machine_failure != head_.on_machine_failure) {
      add(Effect::InPlace, "on_machine_failure", std::string(name_of(base_.on_machine_failure)),
          std::string(name_of(head_.on_machine_failure)), on_failure());
    }
    if (base_.adopt != head_.adopt) add(Effect::Reported, "adopt", {}, {}, "looked at only when an instance is new");
  }

  std::string on_failure() const {
    if (head_.on_machine_failure == OnMachineFailure::Hold) return "a machine that fails waits for a person";
    std::string text =
        "a machine that fails is kept aside, and once it is seen to be off the instance is installed anew on another "
        "one; data on the first one's disks does not come along";
    if (head_.is_protected) text += "; not while protected = true";
    return text;
  }

  void power() {
    if (base_.power != head_.power) {
      const bool on = head_.power == InstancePower::On;
      add(on ? Effect::Power : Effect::PowerOff, "power", std::string(name_of(base_.power)),
          std::string(name_of(head_.power)), on ? "the machine is switched on" : "the machine is switched off");
    }
    if (head_.restart > base_.restart) {
      add(Effect::Reboot, "restart", std::to_string(base_.restart), std::to_string(head_.restart), "one power cycle");
    } else if (head_.restart < base_.restart) {
      add(Effect::None, "restart", std::to_string(base_.restart), std::to_string(head_.restart),
          "lowered: nothing happens");
    }
  }

  void disk() {
    if (base_.image != head_.image) {
      add(Effect::Recorded, "image", base_.image, head_.image, "applied at the next reinstall");
    } else if (image_changed()) {
      add(Effect::Recorded, "image", base_.image, head_.image,
          "the image itself changed: applied at the next reinstall");
    }
    const auto installed =
        context_.facts != nullptr && context_.facts->reinstall ? *context_.facts->reinstall : base_.reinstall;
    if (head_.reinstall == base_.reinstall) return;
    const auto from = std::to_string(base_.reinstall);
    const auto to = std::to_string(head_.reinstall);
    if (head_.reinstall > installed) {
      guard(add(Effect::Reinstall, "reinstall", from, to,
                "the system disk is erased and installed again; other disks are kept", DataLoss::Yes));
    } else if (head_.reinstall < base_.reinstall) {
      add(Effect::None, "reinstall", from, to, "lowered: nothing happens, and erased data does not come back");
    } else {
      add(Effect::None, "reinstall", from, to, fmt::format("installed is {} already", installed));
    }
  }

  bool image_changed() const {
    const auto* before = find_image(*context_.base_snapshot, base_entry_.tenant, base_.provider, base_.image);
    const auto* after = find_image(*context_.head_snapshot, head_entry_.tenant, head_.provider, head_.image);
    return before != nullptr && after != nullptr && !(before->value == after->value);
  }

  void host() {
    const auto profiles = profile_changes();
    if (base_.profiles != head_.profiles) {
      root_code("profiles", joined(base_.profiles), joined(head_.profiles));
    } else if (!profiles.empty()) {
      root_code("profiles", {}, profiles);
    }
    if (base_.configuration != head_.configuration) {
      const auto effect = head_.configuration == ConfigurationMode::Enforce ? Effect::RootCode : Effect::InPlace;
      add(effect, "configuration", std::string(name_of(base_.configuration)), std::string(name_of(head_.configuration)),
          head_.configuration == ConfigurationMode::Enforce ? "profiles are applied as root from now on"
                                                            : "profiles are no longer applied");
    }
    if (base_.access != head_.access) add(Effect::InPlace, "access", {}, {}, "accounts and keys follow over SSH");
    if (base_.hostname != head_.hostname)
      add(Effect::InPlace, "hostname", base_.hostname, head_.hostname, "set over SSH");
    if (base_.windows != head_.windows) add(Effect::InPlace, "window", {}, {}, "holds from the next disruption on");
    people();
  }

  void root_code(std::string key, std::string from, std::string to) {
    if (head_.configuration == ConfigurationMode::Enforce) {
      add(Effect::RootCode, std::move(key), std::move(from), std::move(to), "runs as root on this host, in place");
    } else if (head_.configuration == ConfigurationMode::Observe) {
      add(Effect::Reported, std::move(key), std::move(from), std::move(to),
          "configuration is observe: differences are reported");
    } else {
      add(Effect::None, std::move(key), std::move(from), std::move(to),
          "configuration is none: profiles are not looked at");
    }
  }

  /// Names of profiles whose file, or a file that they install, changed.
  std::string profile_changes() const {
    std::string changed;
    for (const auto& name : head_.profiles) {
      const auto* before = find_profile(*context_.base_snapshot, base_entry_.tenant, name);
      const auto* after = find_profile(*context_.head_snapshot, head_entry_.tenant, name);
      if (before == nullptr || after == nullptr) continue;
      const bool same = digest_of(dependencies(*before, *context_.base_snapshot), *context_.base_snapshot) ==
                        digest_of(dependencies(*after, *context_.head_snapshot), *context_.head_snapshot);
      if (!same) changed += (changed.empty() ? "" : ", ") + name;
    }
    return changed;
  }

  void people() {
    for (const auto& key : head_.access.ssh_keys) {
      if (!key.starts_with("person:")) continue;
      const auto* before = find_person(*context_.base_snapshot, key.substr(7));
      const auto* after = find_person(*context_.head_snapshot, key.substr(7));
      if (before == nullptr || after == nullptr || before->value.ssh_keys == after->value.ssh_keys) continue;
      add(Effect::InPlace, "access.ssh_keys", {}, key, "the person's keys changed; they follow over SSH");
    }
  }

  const Instance& base_;
  const Instance& head_;
  const InstanceEntry& base_entry_;
  const InstanceEntry& head_entry_;
  const InstanceContext& context_;
  std::vector<Change> changes_;
};

}  // namespace

std::vector<Change> instance_changes(const InstanceEntry& base, const InstanceEntry& head,
                                     const InstanceContext& context) {
  return InstanceComparison(base, head, context).run();
}

Change instance_added(const InstanceEntry& head, const InstanceContext& context) {
  const auto& instance = head.value;
  if (instance.adopt) {
    return {Effect::InPlace,
            DataLoss::No,
            {},
            {},
            {},
            fmt::format("adopts what runs on {}: nothing is written to its disks", instance.requirements.machine),
            {}};
  }
  const auto erases = [&](const MachineEntry& machine) {
    return machine.provider == instance.provider && machine.value.lifecycle.existing_data == ExistingData::Erase &&
           (instance.requirements.machine.empty() || instance.requirements.machine == machine.name);
  };
  bool possible = false;
  for (const auto& machine : context.head_snapshot->machines) possible = possible || erases(*machine);
  return {Effect::Install,
          possible ? DataLoss::Possible : DataLoss::No,
          {},
          {},
          {},
          possible
              ? "placed and installed; a machine with existing_data = \"erase\" may be chosen, whose data is destroyed"
              : "placed and installed on a machine that Nimbus has erased before",
          {}};
}

Change instance_removed(const InstanceEntry& base, const InstanceContext&) {
  Change out{Effect::Release,
             DataLoss::Yes,
             {},
             {},
             {},
             "released: powered off, isolated, all disks erased, back to the pool",
             {}};
  if (base.value.is_protected) out.blocked = kProtected;
  return out;
}

}  // namespace nimbus::registry
