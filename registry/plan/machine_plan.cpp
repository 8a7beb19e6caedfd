#include <map>
#include <set>

#include <fmt/core.h>

#include "core/choice.hpp"
#include "registry/plan/object_plans.hpp"

namespace nimbus::registry {

std::string joined(const std::vector<std::string>& list) {
  std::string out;
  for (const auto& each : list) out += (out.empty() ? "" : ", ") + each;
  return out;
}

namespace {

std::string truth(bool value) { return value ? "true" : "false"; }

class MachineComparison {
 public:
  MachineComparison(const DesiredMachine& base, const DesiredMachine& head, const MachineContext& context)
      : base_(base), head_(head), context_(context) {}

  std::vector<Change> run() {
    described();
    power();
    firmware();
    bmc();
    identity();
    boot();
    lifecycle();
    return std::move(changes_);
  }

 private:
  void add(Effect effect, std::string key, std::string from, std::string to, std::string reason,
           DataLoss data_loss = DataLoss::No) {
    changes_.push_back({effect, data_loss, std::move(key), std::move(from), std::move(to), std::move(reason), {}});
  }

  bool enforced() const { return head_.enforcement == Enforcement::Enforce; }
  std::string placed() const {
    if (context_.facts != nullptr) return context_.facts->instance;
    return context_.pinned_by;
  }

  void described() {
    const auto none = [&](bool differs, std::string key, std::string from, std::string to) {
      if (differs)
        add(Effect::None, std::move(key), std::move(from), std::move(to),
            "describes the machine; nothing is done to it");
    };
    none(base_.class_name != head_.class_name, "class", base_.class_name, head_.class_name);
    none(base_.description != head_.description, "description", base_.description, head_.description);
    none(base_.labels != head_.labels, "labels", {}, {});
    none(base_.location != head_.location, "location", {}, {});
    none(base_.hardware != head_.hardware, "hardware", {}, {});
    if (base_.reserved_for != head_.reserved_for) {
      add(Effect::Reported, "reserved_for", joined(base_.reserved_for), joined(head_.reserved_for),
          "holds for new placements; what runs goes on");
    }
  }

  void power() {
    const bool wanted_differs = base_.power != head_.power;
    const bool begins = base_.enforcement != head_.enforcement && enforced();
    if (base_.enforcement != head_.enforcement && !enforced()) {
      add(Effect::Reported, "enforcement", "enforce", "observe", "drift is reported from now on, not corrected");
    }
    if (!wanted_differs && !begins) return;
    const std::string key = wanted_differs ? "power" : "enforcement";
    const std::string from(wanted_differs ? name_of(base_.power) : name_of(base_.enforcement));
    const std::string to(wanted_differs ? name_of(head_.power) : name_of(head_.enforcement));
    if (!enforced())
      return add(Effect::Reported, key, from, to, "enforcement is observe: a difference is reported only");
    if (head_.power == WantedPower::Unmanaged) return add(Effect::InPlace, key, from, to, "power is left as it is");
    if (const auto instance = placed(); !instance.empty()) {
      return add(Effect::Reported, key, from, to, fmt::format("{} is placed here, and its power counts", instance));
    }
    const auto state = context_.facts != nullptr ? context_.facts->power : std::nullopt;
    if (!state)
      return add(Effect::Unknown, key, from, to,
                 "the machine was not observed: whether its power changes is not known");
    const bool on = *state == PowerState::On || *state == PowerState::PoweringOn;
    const bool wanted_on = head_.power == WantedPower::On;
    if (on == wanted_on) return add(Effect::None, key, from, to, "observed so already");
    if (wanted_on) return add(Effect::Power, key, from, to, "observed off: it is switched on");
    add(Effect::PowerOff, key, from, to, "observed on: it is switched off");
  }

  void firmware() {
    std::set<std::string> keys;
    for (const auto& [key, value] : base_.bios) keys.insert(key);
    for (const auto& [key, value] : head_.bios) keys.insert(key);
    for (const auto& key : keys) {
      const auto before = base_.bios.find(key);
      const auto after = head_.bios.find(key);
      const std::string from = before != base_.bios.end() ? before->second : "";
      const std::string to = after != head_.bios.end() ? after->second : "";
      if (from == to && (before != base_.bios.end()) == (after != head_.bios.end())) continue;
      if (after == head_.bios.end()) {
        add(Effect::None, "bios." + key, from, "", "no longer managed; the setting stays");
      } else {
        reboot("bios." + key, from, to);
      }
    }
    if (base_.boot.secure_boot != head_.boot.secure_boot) {
      if (head_.boot.secure_boot) {
        reboot("boot.secure_boot", secure_boot(base_), secure_boot(head_));
      } else {
        add(Effect::None, "boot.secure_boot", secure_boot(base_), "", "no longer managed; the setting stays");
      }
    }
  }

  static std::string secure_boot(const DesiredMachine& machine) {
    return machine.boot.secure_boot ? truth(*machine.boot.secure_boot) : std::string();
  }

  void reboot(std::string key, std::string from, std::string to) {
    if (!enforced()) {
      return add(Effect::Reported, std::move(key), std::move(from), std::move(to),
                 "enforcement is observe: a difference is reported only");
    }
    const auto instance = placed();
    std::string reason = "a free machine is rebooted at once";
    if (!instance.empty()) {
      reason = fmt::format("set at the next permitted reboot of {}", instance);
    } else if (context_.facts == nullptr) {
      reason =
          "the machine was not observed: a free machine is rebooted at once, one in use at its next permitted reboot";
    }
    add(Effect::Reboot, std::move(key), std::move(from), std::move(to), std::move(reason));
  }

  void bmc() {
    const auto& before = base_.bmc;
    const auto& after = head_.bmc;
    const auto exposure = [&](bool differs, std::string key, std::string from, std::string to) {
      if (!differs) return;
      add(Effect::CredentialExposure, std::move(key), std::move(from), std::move(to),
          "the BMC's credentials go to whoever answers there; the identity is checked before any write");
    };
    exposure(before.driver != after.driver, "bmc.driver", before.driver, after.driver);
    exposure(before.address != after.address, "bmc.address", before.address, after.address);
    exposure(before.system != after.system, "bmc.system", before.system, after.system);
    exposure(before.tls != after.tls, "bmc.tls", before.tls.ca.empty() ? joined(before.tls.pins) : before.tls.ca,
             after.tls.ca.empty() ? joined(after.tls.pins) : after.tls.ca);
    exposure(before.credentials != after.credentials, "bmc.credentials", joined(before.credentials),
             joined(after.credentials));
    // A weaker suite shows more of the password's hash to listeners.
    exposure(before.cipher_suite != after.cipher_suite, "bmc.cipher_suite", std::to_string(before.cipher_suite),
             std::to_string(after.cipher_suite));
    if (before.privilege != after.privilege) {
      add(Effect::InPlace, "bmc.privilege", std::string(name_of(before.privilege)),
          std::string(name_of(after.privilege)), "holds from the next session on");
    }
    if (before.quirks != after.quirks) {
      add(Effect::InPlace, "bmc.quirks", joined(before.quirks), joined(after.quirks), "holds from the next session on");
    }
  }

  void identity() {
    const auto& before = base_.identity;
    const auto& after = head_.identity;
    const auto differs = [&](const std::string& from, const std::string& to, std::string key) {
      if (from != to) {
        add(Effect::ObserveOnly, std::move(key), from, to, "observe only until the BMC reports this identity");
      }
    };
    differs(before.serial, after.serial, "identity.serial");
    differs(before.uuid, after.uuid, "identity.uuid");
    differs(before.bmc_guid, after.bmc_guid, "identity.bmc_guid");
    if (base_.mac != head_.mac)
      add(Effect::InPlace, "identity.mac", base_.mac, head_.mac, "holds from the next network boot on");
  }

  void boot() {
    const auto& before = base_.boot;
    const auto& after = head_.boot;
    const auto next = [&](bool differs, std::string key, std::string_view from, std::string_view to) {
      if (differs)
        add(Effect::InPlace, std::move(key), std::string(from), std::string(to), "holds from the next network boot on");
    };
    next(before.method != after.method, "boot.method", name_of(before.method), name_of(after.method));
    next(before.mode != after.mode, "boot.mode", name_of(before.mode), name_of(after.mode));
    next(before.network != after.network, "boot.network", before.network, after.network);
    next(before.handover != after.handover, "boot.handover", name_of(before.handover), name_of(after.handover));
  }

  void lifecycle() {
    const auto& before = base_.lifecycle;
    const auto& after = head_.lifecycle;
    if (before.hands_off != after.hands_off) {
      add(Effect::InPlace, "lifecycle.hands_off", truth(before.hands_off), truth(after.hands_off),
          after.hands_off ? "nothing is written to this machine any more" : "writes are allowed again");
    }
    if (before.state != after.state) {
      add(Effect::InPlace, "lifecycle.state", std::string(name_of(before.state)), std::string(name_of(after.state)),
          after.state == LifecycleState::InService ? "the machine may be used again"
                                                   : "the machine is left alone and not placed on");
    }
    if (before.existing_data != after.existing_data) {
      const bool erase = after.existing_data == ExistingData::Erase;
      add(Effect::InPlace, "lifecycle.existing_data", std::string(name_of(before.existing_data)),
          std::string(name_of(after.existing_data)),
          erase ? "what the machine holds may be destroyed by the next placement" : "what the machine holds is kept",
          erase ? DataLoss::Possible : DataLoss::No);
    }
    if (before.reason != after.reason) add(Effect::None, "lifecycle.reason", before.reason, after.reason, "for people");
  }

  const DesiredMachine& base_;
  const DesiredMachine& head_;
  const MachineContext& context_;
  std::vector<Change> changes_;
};

}  // namespace

std::vector<Change> machine_changes(const DesiredMachine& base, const DesiredMachine& head,
                                    const MachineContext& context) {
  return MachineComparison(base, head, context).run();
}

}  // namespace nimbus::registry
