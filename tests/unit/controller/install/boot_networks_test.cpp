// Machines that boot from several networks: each nimbus-boot is told of its own only.
#include <doctest/doctest.h>

#include "controller/install/lifecycle.hpp"
#include "world.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using namespace nimbus::controller::test;
using namespace std::chrono_literals;

namespace {

class OffBmc final : public Bmc, private BmcPower {
 public:
  BmcPower* power() noexcept override { return this; }
  void close(const Call&) noexcept override {}

 private:
  Result<PowerState> power(const Call&) override { return PowerState::Off; }
  Result<WriteOutcome> act(PowerAction, const Call&) override { return WriteOutcome::Accepted; }
};

DesiredMachine machine(int number, const std::string& network) {
  DesiredMachine out;
  out.id = {"p", "m" + std::to_string(number)};
  out.path = "providers/p/machines/" + out.id.machine + ".toml";
  out.mac = "52:54:00:00:00:0" + std::to_string(number);
  out.identity.serial = "S-" + out.id.machine;
  out.boot.network = network;
  out.lifecycle.existing_data = ExistingData::Erase;
  return out;
}

Network network(const std::string& name, const std::string& begin) {
  return {.provider = "p",
          .name = name,
          .cidr = begin + "0/24",
          .gateway = begin + "1",
          .dhcp = DhcpService::Server,
          .range = {begin + "10", begin + "99"}};
}

/// Instances that ask for a machine each: i1 for m1, i2 for m2 …
struct Site {
  explicit Site(std::map<std::string, BootService*> boots) {
    life.emplace(
        LifecycleTools{.clock = world.clock,
                       .provider = "p",
                       .store = {.remember = [](const auto&, const auto&) -> Result<> { return {}; },
                                 .recall_all = [](const auto&) { return std::map<std::string, std::string>(); }},
                       .boots = std::move(boots),
                       .ssh = [](const auto&, const auto&, const Call&) -> Result<reconcilers::SshAnswer> {
                         return reconcilers::SshAnswer::Silent;
                       },
                       .acknowledged = [this](const auto& path) { return world.forge_text(path); },
                       .publish = [this](const auto& path, const auto& text, const auto&) { told[path] = text; },
                       .image_sources = {"http://images.test/"},
                       .policy = {}});
  }

  void accept(std::vector<DesiredMachine> wanted) {
    machines = std::move(wanted);
    AcceptedRegistry registry;
    for (const auto& one : machines) {
      registry.machines[one.id.machine] = {std::make_shared<const DesiredMachine>(one), "", nullptr};
    }
    Wishes wishes;
    wishes.commit = "c";
    wishes.provider.tenants = {"*"};
    wishes.networks["a"] = network("a", "10.0.1.");
    wishes.networks["b"] = network("b", "10.0.2.");
    for (const auto& one : machines) {
      InstanceWish wish;
      wish.instance.tenant = "acme";
      wish.instance.name = "i" + one.id.machine.substr(1);
      wish.instance.provider = "p";
      wish.instance.requirements.machine = one.id.machine;
      wish.path = path(wish.instance.name);
      wish.image.disk =
          ImageDisk{.urls = {"http://images.test/a"}, .sha256 = std::string(64, 'a'), .size_bytes = 1 << 30};
      wishes.instances[wish.instance.id()] = std::move(wish);
    }
    REQUIRE(life->accept(registry, std::move(wishes)));
    life->seed({});
    for (int round = 0; round < 4; ++round) {
      for (const auto& one : machines) pass(one);
      world.clock.advance(20s);
    }
  }

  void pass(const DesiredMachine& one) {
    OffBmc bmc;
    const auto facts = life->step({.desired = one,
                                   .commit = "c",
                                   .bmc = bmc,
                                   .power = Observed<PowerState>::known(PowerState::Off, world.clock.wall()),
                                   .match = match_identity(one.identity, one.identity),
                                   .given_up = {},
                                   .guard = [] { return std::optional<Refusal>(); },
                                   .call = {world.clock.now() + 30s}});
    if (!facts) return;
    registry::MachineStatus status;
    status.identity = one.identity;
    status.phase = facts->phase;
    status.claim = facts->claim;
    world.put(one.path, registry::to_text(status));
  }

  static std::string path(const std::string& instance) { return "tenants/acme/instances/" + instance + ".toml"; }
  std::string message(const std::string& instance) const {
    return registry::parse_instance_status(told.at(path(instance)), "status")->message;
  }

  World world;
  std::vector<DesiredMachine> machines;
  std::map<std::string, std::string> told;
  std::optional<controller::Lifecycle> life;
};

std::vector<std::string> names(const World& boot) {
  std::vector<std::string> out;
  for (const auto& one : boot.orders.machines) out.push_back(one.name);
  return out;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("two networks: each nimbus-boot gets its own facts and machines") {
  World a, b;
  Site site({{"a", &a}, {"b", &b}});
  site.accept({machine(1, "a"), machine(2, "b"), machine(3, "a")});
  CHECK(a.orders.cidr == "10.0.1.0/24");
  CHECK(a.orders.gateway == "10.0.1.1");
  CHECK(names(a) == Names{"m1", "m3"});
  CHECK(b.orders.cidr == "10.0.2.0/24");
  CHECK(names(b) == Names{"m2"});

  // One that is away does not keep the other from its orders.
  a.boot_down = true;
  site.accept({machine(1, "a"), machine(2, "b"), machine(3, "b")});
  CHECK(names(b) == Names{"m2", "m3"});
  CHECK(names(a) == Names{"m1", "m3"});
  a.boot_down = false;
  for (const auto& one : site.machines) site.pass(one);
  CHECK(names(a) == Names{"m1"});

  // Nobody boots from "a" any more: somebody tells it all the same.
  site.accept({machine(1, "b"), machine(2, "b"), machine(3, "b")});
  CHECK(names(a).empty());
  CHECK(names(b) == Names{"m1", "m2", "m3"});
}

TEST_CASE("a network that nobody serves: its machines are not claimed, and the instance says why") {
  World a;
  Site site({{"a", &a}});
  site.accept({machine(1, "a"), machine(2, "b")});
  CHECK(names(a) == Names{"m1"});
  CHECK(site.message("i2").find("m2: its boot network b is not served by this controller") != std::string::npos);

  // A machine that was claimed before its network went: the run waits, and says so.
  site.accept({machine(1, "b"), machine(2, "b")});
  CHECK(site.message("i1").find("its boot network b is not served by this controller") != std::string::npos);
  CHECK(names(a).empty());
}

TEST_CASE("a nimbus-boot without a name serves the only network, and the claimed one when another comes") {
  World only;
  Site site({{"", &only}});
  SUBCASE("one network") {
    site.accept({machine(1, "b")});
    CHECK(only.orders.cidr == "10.0.2.0/24");
    site.accept({machine(1, "b"), machine(2, "a")});
    CHECK(only.orders.cidr == "10.0.2.0/24");
    CHECK(names(only) == Names{"m1"});
    CHECK(site.message("i2").find("its boot network a is not served by this controller") != std::string::npos);
  }
  SUBCASE("two from the beginning: none is guessed") {
    site.accept({machine(1, "b"), machine(2, "a")});
    CHECK(names(only).empty());
    CHECK(site.message("i1").find("its boot network b is not served") != std::string::npos);
    CHECK(site.message("i2").find("its boot network a is not served") != std::string::npos);
  }
}
