// Two machines and one instance, in a world that stays; what the law says of them is
// checked after each round.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json/json.hpp"
#include "controller/install/lifecycle.hpp"
#include "world.hpp"

namespace nimbus::controller::test {

using namespace std::chrono_literals;

inline constexpr const char* kInstance = "tenants/acme/instances/web-1.toml";

class SwitchedBmc final : public Bmc, private BmcPower, private BmcBoot {
 public:
  BmcPower* power() noexcept override { return this; }
  BmcBoot* boot() noexcept override { return this; }
  void close(const Call&) noexcept override {}
  PowerState state = PowerState::Off;
  int on = 0, off = 0;
  bool arms = true;
  bool obeys = true;

 private:
  Result<PowerState> power(const Call&) override { return state; }
  Result<WriteOutcome> act(PowerAction action, const Call&) override {
    ++(action == PowerAction::On ? on : off);
    if (obeys) state = action == PowerAction::On ? PowerState::On : PowerState::Off;
    return WriteOutcome::Accepted;
  }
  Result<BootOverride> boot_override(const Call&) override { return BootOverride{}; }
  Result<WriteOutcome> arm_boot(const BootOverride&, const Call&) override {
    if (!arms) return Error{Code::Unsupported, "took it and does not show it"};
    return WriteOutcome::Accepted;
  }
};

inline DesiredMachine machine(const std::string& name) {
  DesiredMachine out;
  out.id = {"p", name};
  out.path = "providers/p/machines/" + name + ".toml";
  out.mac = name == "m1" ? kMac : "52:54:00:12:34:99";
  out.identity.serial = "S-" + name;
  out.boot.network = "prov";
  out.lifecycle.existing_data = ExistingData::Erase;
  return out;
}

/// Two machines, one instance. nimbusd may be started again; journal and forge stay.
struct Site {
  Site() { start(); }

  void start() {
    life.emplace(tools_in(world));
    accept();
    life->seed(world.forge);
  }

  void accept() {
    AcceptedRegistry registry;
    registry.policy.limits.push_back({});
    for (const auto& one : machines) {
      registry.machines[one.id.machine] = {std::make_shared<const DesiredMachine>(one), "", nullptr};
    }
    Wishes wishes = wishes_at("c" + std::to_string(++commit));
    wishes.instances[instance.id()] = wish_for(instance);
    REQUIRE(life->accept(registry, std::move(wishes)));
  }

  void pass(const DesiredMachine& one) {
    auto& bmc = bmcs[one.id.machine];
    const std::string nothing;
    const std::string commit_text = "c";
    const auto power = Observed<PowerState>::known(bmc.state, world.clock.wall());
    const auto match = match_identity(one.identity, one.identity);
    const Call call{world.clock.now() + 30s};
    auto told = life->step({.desired = one,
                            .commit = commit_text,
                            .bmc = bmc,
                            .power = power,
                            .match = match,
                            .given_up = one.id.machine == "m1" ? given_up : nothing,
                            .guard = [&]() -> std::optional<Refusal> {
                              if (!deposed) return std::nullopt;
                              return Refusal{"Deposed", "another controller took over"};
                            },
                            .call = call});
    facts[one.id.machine] = told;
    if (!told) return;
    world.put(one.path, document_of(one.identity, *told));
  }

  /// All machines in turn, until `done` or so many rounds.
  bool until(const std::function<bool()>& done, int rounds = 400) {
    for (int i = 0; i < rounds; ++i) {
      try {
        for (const auto& one : machines) pass(one);
      } catch (const World::Crash&) {
        ++crashes;
        start();
      }
      check_law();
      if (done()) return true;
      world.clock.advance(20s);
    }
    return false;
  }

  /// At no time do two machines run for the instance, and the second is switched on only
  /// after the first was off.
  void check_law() {
    int claims = 0;
    for (const auto& [key, text] : world.journal) {
      const auto json = base::parse_json(text);
      REQUIRE(json);
      const auto record = parse_life((*json)["record"].as_string().value_or(""));
      REQUIRE(record);
      if (record->instance == "acme/web-1" && record->displaced.empty()) ++claims;
    }
    CHECK(claims <= 1);
    CHECK_FALSE((bmcs["m1"].state == PowerState::On && bmcs["m2"].state == PowerState::On));
  }

  void unprotect() {
    instance.is_protected = false;
    accept();
  }
  registry::InstanceStatus told() const {
    auto status = registry::parse_instance_status(world.forge.at(kInstance), kInstance);
    REQUIRE(status);
    return *status;
  }
  bool is(const std::string& name, registry::MachinePhase phase) const {
    const auto found = facts.find(name);
    return found != facts.end() && found->second && found->second->phase == phase;
  }
  bool moved() const {
    return is("m1", registry::MachinePhase::Quarantined) && is("m2", registry::MachinePhase::Installing);
  }
  std::string held(const std::string& name) const { return facts.at(name) ? facts.at(name)->held : std::string(); }

  World world;
  std::map<std::string, SwitchedBmc> bmcs;
  std::vector<DesiredMachine> machines{machine("m1"), machine("m2")};
  Instance instance{
      .tenant = "acme", .name = "web-1", .provider = "p", .on_machine_failure = OnMachineFailure::Replace};
  std::optional<controller::Lifecycle> life;
  std::map<std::string, std::optional<LifeFacts>> facts;
  std::string given_up;
  bool deposed = false;
  int commit = 0, crashes = 0;
};

/// acme/web-1 runs on m1.
inline void runs(Site& site) {
  LifeRecord record;
  record.instance = record.installed_for = "acme/web-1";
  record.address = "10.0.0.10";
  record.host_key = kHostKey;
  record.installed.emplace();
  record.installed->disk = "serial.D1";
  LifeRecords records({.remember = [&](const auto& key, const auto& value) -> Result<> {
                         site.world.journal[key] = value;
                         return {};
                       },
                       .recall_all = [](const auto&) { return std::map<std::string, std::string>(); }},
                      "p");
  REQUIRE(records.keep("", "m1", {.serial = "S-m1", .uuid = {}, .bmc_guid = {}}, record));
  site.start();
  REQUIRE(site.until([&] { return site.is("m1", registry::MachinePhase::Active); }));
  site.unprotect();
  REQUIRE(site.until([&] { return !site.told().unprotected_since.empty(); }));
}

}  // namespace nimbus::controller::test
