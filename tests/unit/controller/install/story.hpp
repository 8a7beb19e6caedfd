// A story of one machine: a controller that is killed and started again at will, in a
// world that stays.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/ports/bmc_manage.hpp"
#include "core/ports/bmc_observe.hpp"
#include "world.hpp"

namespace nimbus::controller::test {

using namespace std::chrono_literals;

class WorldBmc final : public Bmc,
                       private BmcPower,
                       private BmcBoot,
                       private BmcMedia,
                       private BmcAccounts,
                       private BmcInventory {
 public:
  explicit WorldBmc(World& world) : world_(world) {}
  BmcPower* power() noexcept override { return this; }
  BmcBoot* boot() noexcept override { return this; }
  BmcMedia* media() noexcept override { return this; }
  BmcAccounts* accounts() noexcept override { return this; }
  BmcInventory* inventory() noexcept override { return this; }
  void close(const Call&) noexcept override {}

 private:
  Result<PowerState> power(const Call&) override { return world_.power; }
  Result<WriteOutcome> act(PowerAction action, const Call& call) override {
    if (world_.too_late(call)) return Error{Code::Conflict, "it came too late; nothing was sent"};
    ++world_.power_writes;
    world_.effect();
    const bool on = action == PowerAction::On;
    if (on && world_.power == PowerState::Off) {
      world_.from_network = world_.armed && !world_.forgets_at_power_on;
      world_.armed = false;
    }
    world_.power = on ? PowerState::On : PowerState::Off;
    world_.effect();
    return WriteOutcome::Accepted;
  }
  Result<BootOverride> boot_override(const Call&) override { return BootOverride{}; }
  Result<WriteOutcome> arm_boot(const BootOverride& wanted, const Call& call) override {
    if (world_.too_late(call)) return Error{Code::Conflict, "it came too late; nothing was sent"};
    if (wanted == BootOverride{}) {
      ++world_.disarmed;
      return WriteOutcome::Accepted;
    }
    if (!world_.arm_error.empty()) return Error{Code::Unsupported, world_.arm_error};
    CHECK(wanted.device == BootDevice::Pxe);
    CHECK(wanted.times == BootTimes::Once);
    if (world_.arm_fails > 0 && --world_.arm_fails >= 0) return Error{Code::Unsupported, "it reads back as none"};
    ++world_.arms;
    // The firmware is still busy: it counts for this boot.
    (world_.power == PowerState::On && world_.forgets_at_power_on ? world_.from_network : world_.armed) = true;
    world_.effect();
    return WriteOutcome::Accepted;
  }
  Result<BootOrder> boot_order(const Call&) override { return BootOrder{.next = world_.boot_order, .now = {}}; }
  Result<WriteOutcome> set_boot_order(const std::vector<std::string>& first, const Call&) override {
    if (!world_.order_error.empty()) return Error{Code::Busy, world_.order_error};
    auto& order = world_.boot_order;
    for (auto id = first.rbegin(); id != first.rend(); ++id) {
      const auto at = std::find_if(order.begin(), order.end(), [&](const auto& entry) { return entry.id == *id; });
      REQUIRE(at != order.end());
      std::rotate(order.begin(), at, at + 1);
    }
    return WriteOutcome::Accepted;
  }
  Result<std::vector<MediaSlot>> slots(const Call&) override { return std::vector<MediaSlot>(); }
  Result<WriteOutcome> insert_cd(const std::string&, const Call&) override { return Error{Code::Unsupported, "no"}; }
  Result<WriteOutcome> eject_cd(const Call&) override {
    if (world_.disc_stuck) return Error{Code::Busy, "the drive does not open"};
    world_.disc_in = false;
    return WriteOutcome::Accepted;
  }
  Result<std::vector<Account>> accounts(const Call&) override {
    if (world_.accounts_away > 0 && --world_.accounts_away >= 0) return Error{Code::Timeout, "no answer in time"};
    return world_.accounts;
  }
  Result<Account> put_account(const std::string&, const Secret&, AccountRole, const Call&) override {
    return Error{Code::Unsupported, "no"};
  }
  Result<WriteOutcome> disable_account(const Account&, const Call&) override { return Error{Code::Unsupported, "no"}; }
  Result<Inventory> inventory(const Call&) override { return Inventory{}; }
  Result<std::vector<FirmwareVersion>> firmware(const Call&) override { return world_.firmware; }
  World& world_;
};

/// One nimbusd; made anew after each crash.
class Controller {
 public:
  explicit Controller(World& world) : world_(world), bmc_(world), life_(tools()) {}

  LifecycleTools tools() {
    LifecycleTools tools = tools_in(world_);
    tools.ssh = [this](const auto&, const auto& key, const Call&) -> Result<reconcilers::SshAnswer> {
      CHECK(key == kHostKey);
      return world_.booted_disk ? world_.ssh : reconcilers::SshAnswer::Silent;
    };
    tools.disruption.pace = &pace_;
    tools.disruption.zones = [](const auto&, WallTime) { return std::chrono::seconds{0}; };
    return tools;
  }

  void accept(const DesiredMachine& machine, const std::vector<Instance>& instances, const std::string& commit,
              const Policy& policy, const std::vector<DesiredMachine>& others) {
    AcceptedRegistry registry;
    registry.policy = policy;
    for (const auto& other : others) {
      registry.machines[other.id.machine] = {std::make_shared<const DesiredMachine>(other), "", nullptr};
    }
    registry.machines["m1"] = {std::make_shared<const DesiredMachine>(machine), "", nullptr};
    Wishes wishes = wishes_at(commit);
    wishes.tenants["capped"] = {.name = "capped", .quota = {.instances = 1}, .providers = {"*"}};
    for (const auto& instance : instances) wishes.instances[instance.id()] = wish_for(instance);
    REQUIRE(life_.accept(registry, std::move(wishes)));
  }
  void seed() { life_.seed(world_.forge); }

  /// m1's file is removed; `rest`: what is there besides.
  void leave(const std::optional<DesiredMachine>& rest) {
    AcceptedRegistry registry;
    if (rest) registry.machines[rest->id.machine] = {std::make_shared<const DesiredMachine>(*rest), "", nullptr};
    REQUIRE(life_.accept(registry, wishes_at("left")));
    life_.withdraw({world_.clock.now() + 15s});
  }

  std::optional<LifeFacts> pass(const DesiredMachine& machine) {
    const std::string commit = "c";
    const auto power = Observed<PowerState>::known(world_.power, world_.clock.wall());
    const auto match = match_identity(machine.identity, Identity{.serial = world_.serial, .uuid = {}, .bmc_guid = {}});
    const Call call{world_.clock.now() + 30s};
    auto facts = life_.step({.desired = machine,
                             .commit = commit,
                             .bmc = bmc_,
                             .power = power,
                             .match = match,
                             .given_up = {},
                             .guard = [this]() -> std::optional<Refusal> {
                               if (world_.guard_refuses.empty()) return std::nullopt;
                               return Refusal{"Test", world_.guard_refuses};
                             },
                             .call = call});
    if (!facts) return facts;
    world_.put(machine.path, document_of(Identity{}, *facts));
    return facts;
  }

 private:
  World& world_;
  WorldBmc bmc_;
  PowerOnPace pace_;
  controller::Lifecycle life_;
};

inline DesiredMachine machine(ExistingData existing = ExistingData::Erase) {
  DesiredMachine out;
  out.id = {"p", "m1"};
  out.path = "providers/p/machines/m1.toml";
  out.mac = kMac;
  out.identity.serial = "S1";
  out.bmc.address = "https://192.0.2.9";
  out.boot.network = "prov";
  out.lifecycle.existing_data = existing;
  return out;
}

inline Instance instance(const std::string& name = "web-1", bool is_protected = true) {
  Instance out;
  out.tenant = "acme";
  out.name = name;
  out.provider = "p";
  out.is_protected = is_protected;
  return out;
}

struct Story {
  explicit Story(ExistingData existing = ExistingData::Erase) : desired(machine(existing)) { start(); }
  void start() {
    controller.emplace(world);
    controller->accept(desired, instances, "c" + std::to_string(++commit), policy, others);
    controller->seed();
  }
  void push(std::vector<Instance> wanted) {
    instances = std::move(wanted);
    controller->accept(desired, instances, "c" + std::to_string(++commit), policy, others);
  }
  /// Passes, the machine's own life and time, until `done` or so many rounds.
  bool until(const std::function<bool()>& done, int rounds = 200) {
    for (int i = 0; i < rounds; ++i) {
      try {
        facts = controller->pass(desired);
      } catch (const World::Crash&) {
        start();  // kill -9, and it is started again
        ++crashes;
      }
      if (done()) return true;
      world.machine_lives();
      world.clock.advance(5s);
    }
    return false;
  }
  bool runs() const { return facts && facts->phase == registry::MachinePhase::Active; }
  bool available() const { return facts && facts->phase == registry::MachinePhase::Available && !facts->claim; }
  bool held() const { return facts && !facts->held.empty(); }

  World world;
  DesiredMachine desired;
  std::vector<Instance> instances;
  std::optional<Controller> controller;
  std::optional<LifeFacts> facts;
  int commit = 0;
  Policy policy;
  std::vector<DesiredMachine> others;  // nobody looks at them
  int crashes = 0;
};

}  // namespace nimbus::controller::test
