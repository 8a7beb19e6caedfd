#include <doctest/doctest.h>

#include <functional>

#include "controller/install/address.hpp"
#include "world.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using namespace nimbus::controller::test;
using namespace std::chrono_literals;

namespace {

class WorldBmc final : public Bmc, private BmcPower, private BmcBoot {
 public:
  explicit WorldBmc(World& world) : world_(world) {}
  BmcPower* power() noexcept override { return this; }
  BmcBoot* boot() noexcept override { return this; }
  void close(const Call&) noexcept override {}

 private:
  Result<PowerState> power(const Call&) override { return world_.power; }
  Result<WriteOutcome> act(PowerAction action, const Call&) override {
    ++world_.power_writes;
    world_.effect();
    const bool on = action == PowerAction::On;
    if (on && world_.power == PowerState::Off) {
      world_.from_network = world_.armed;
      world_.armed = false;
    }
    world_.power = on ? PowerState::On : PowerState::Off;
    world_.effect();
    return WriteOutcome::Accepted;
  }
  Result<BootOverride> boot_override(const Call&) override { return BootOverride{}; }
  Result<WriteOutcome> arm_boot(const BootOverride& wanted, const Call&) override {
    if (!world_.arm_error.empty()) return Error{Code::Unsupported, world_.arm_error};
    CHECK(wanted.device == BootDevice::Pxe);
    CHECK(wanted.times == BootTimes::Once);
    world_.armed = true;
    world_.effect();
    return WriteOutcome::Accepted;
  }
  World& world_;
};

/// One nimbusd; made anew after each crash.
class Controller {
 public:
  explicit Controller(World& world) : world_(world), bmc_(world), life_(tools()) {}

  LifecycleTools tools() {
    return {.clock = world_.clock,
            .provider = "p",
            .store = {.remember = [this](const auto& key, const auto& value) -> Result<> {
                        world_.effect();
                        world_.journal[key] = value;
                        world_.effect();
                        return {};
                      },
                      .recall = [this](const auto& key) -> Result<std::optional<std::string>> {
                        const auto found = world_.journal.find(key);
                        return found == world_.journal.end() ? std::optional<std::string>() : found->second;
                      }},
            .boot = world_,
            .ssh = [this](const auto&, const auto& key, const Call&) -> Result<reconcilers::SshAnswer> {
              CHECK(key == kHostKey);
              return world_.booted_disk ? world_.ssh : reconcilers::SshAnswer::Silent;
            },
            .acknowledged = [this](const auto& path) { return world_.forge_text(path); },
            .publish = [this](const auto& path, const auto& text, const auto&) { world_.put(path, text); },
            .image_sources = {"http://images.test/"},
            .policy = {}};
  }

  void accept(const DesiredMachine& machine, const std::vector<Instance>& instances, const std::string& commit,
              bool limited = false) {
    AcceptedRegistry registry;
    if (limited) registry.policy.limits.push_back({});
    registry.machines["m1"] = {std::make_shared<const DesiredMachine>(machine), "", nullptr};
    Wishes wishes;
    wishes.commit = commit;
    wishes.provider.tenants = {"*"};
    wishes.tenants["capped"] = {.name = "capped", .quota = {.instances = 1}, .providers = {"*"}};
    wishes.networks["prov"] = {.provider = "p",
                               .name = "prov",
                               .cidr = "10.0.0.0/24",
                               .gateway = {},
                               .dhcp = DhcpService::Server,
                               .range = {"10.0.0.10", "10.0.0.20"}};
    for (const auto& instance : instances) {
      InstanceWish wish;
      wish.instance = instance;
      wish.path = "tenants/" + instance.tenant + "/instances/" + instance.name + ".toml";
      wish.image.disk =
          ImageDisk{.urls = {"http://images.test/a"}, .sha256 = std::string(64, 'a'), .size_bytes = 1 << 30};
      wishes.instances[instance.id()] = std::move(wish);
    }
    REQUIRE(life_.accept(registry, std::move(wishes)));
  }
  void seed() { life_.seed(world_.forge); }

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
                             .guard = [this]() -> std::optional<Refusal> {
                               if (world_.guard_refuses.empty()) return std::nullopt;
                               return Refusal{"Test", world_.guard_refuses};
                             },
                             .call = call});
    if (!facts) return facts;
    registry::MachineStatus status;
    status.phase = facts->phase;
    status.claim = facts->claim;
    status.installed = facts->installed;
    status.erases = facts->erases;
    world_.put(machine.path, registry::to_text(status));
    return facts;
  }

 private:
  World& world_;
  WorldBmc bmc_;
  controller::Lifecycle life_;
};

DesiredMachine machine(ExistingData existing = ExistingData::Erase) {
  DesiredMachine out;
  out.id = {"p", "m1"};
  out.path = "providers/p/machines/m1.toml";
  out.mac = kMac;
  out.identity.serial = "S1";
  out.boot.network = "prov";
  out.lifecycle.existing_data = existing;
  return out;
}

Instance instance(const std::string& name = "web-1", bool is_protected = true) {
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
    controller->accept(desired, instances, "c" + std::to_string(++commit), limited);
    controller->seed();
  }
  void push(std::vector<Instance> wanted) {
    instances = std::move(wanted);
    controller->accept(desired, instances, "c" + std::to_string(++commit), limited);
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
  bool limited = false;
  int crashes = 0;
};

}  // namespace

TEST_CASE("an instance is installed, and then nothing more happens") {
  Story story;
  story.push({instance()});
  REQUIRE(story.until([&] { return story.runs(); }));
  CHECK(story.world.installs == 1);
  CHECK(story.facts->installed->disk == "serial.D1");
  const auto journal = story.world.journal;
  const auto forge = story.world.forge;
  const int writes = story.world.power_writes;
  CHECK_FALSE(story.until([] { return false; }, 50));
  CHECK(story.world.power_writes == writes);
  CHECK(story.world.journal == journal);
  CHECK(story.world.forge == forge);
  CHECK(story.world.forge.at("tenants/acme/instances/web-1.toml").find(kHostKey) != std::string::npos);
}

TEST_CASE("a crash at every durable write and every effect: converges, and each attempt writes once") {
  int crashed = 0;
  for (int at = 1; at < 60; ++at) {
    CAPTURE(at);
    Story story;
    story.push({instance()});
    story.world.effects_until_crash = at;
    REQUIRE(story.until([&] { return story.runs() || story.held(); }, 2000));
    CHECK(story.runs());
    CHECK(story.world.installs == 1);
    auto nonces = story.world.written_nonces;
    std::sort(nonces.begin(), nonces.end());
    CHECK(std::adjacent_find(nonces.begin(), nonces.end()) == nonces.end());
    crashed += story.crashes;
    if (story.crashes == 0) break;  // beyond the last effect
  }
  CHECK(crashed > 8);
}

TEST_CASE("a machine that dies while it is written is begun again, with another nonce, and given up in the end") {
  Story story;
  story.world.dies_while_writing = 2;
  story.push({instance()});
  REQUIRE(story.until([&] { return story.runs(); }));
  CHECK(story.world.written_nonces.size() == 3);

  Story hopeless;
  hopeless.world.dies_while_writing = 100;
  hopeless.push({instance()});
  REQUIRE(hopeless.until([&] { return hopeless.held(); }));
  CHECK(hopeless.world.written_nonces.size() == 3);
  CHECK_FALSE(hopeless.until([&] { return hopeless.world.written_nonces.size() > 3; }, 100));
}

TEST_CASE("forge down before the intent: nothing is switched; after it: it finishes") {
  Story story;
  story.world.forge_down = true;
  story.push({instance()});
  CHECK_FALSE(story.until([&] { return story.world.power_writes > 0; }, 100));
  story.world.forge_up();
  REQUIRE(story.until([&] { return story.world.power_writes > 0; }));
  story.world.forge_down = true;
  REQUIRE(story.until([&] { return story.runs(); }));
}

TEST_CASE("the journal is lost in the middle of an install: held, and nothing is written") {
  Story story;
  story.push({instance()});
  REQUIRE(story.until([&] { return story.world.power_writes > 0; }));
  story.world.journal.clear();
  story.world.told.clear();
  story.start();
  const int writes = story.world.power_writes;
  REQUIRE(story.until([&] { return story.held(); }));
  CHECK_FALSE(story.until([&] { return story.world.power_writes > writes; }, 100));
  CHECK(story.held());
}

TEST_CASE("the journal is lost after an install: the claim is taken over from status") {
  Story story;
  story.push({instance()});
  REQUIRE(story.until([&] { return story.runs(); }));
  story.world.journal.clear();
  story.start();
  REQUIRE(story.until([&] { return story.runs(); }));
  CHECK(story.world.installs == 1);
  CHECK(story.facts->claim->instance == "acme/web-1");
}

TEST_CASE("a machine with data and default settings is never placed, never switched") {
  Story story(ExistingData::Keep);
  story.push({instance()});
  CHECK_FALSE(story.until([&] { return story.facts.has_value(); }, 100));
  CHECK(story.world.power_writes == 0);
  CHECK(story.world.journal.empty());
  CHECK(story.world.forge.at("tenants/acme/instances/web-1.toml").find("may hold data") != std::string::npos);
}

TEST_CASE("release: unprotect first, published first; then erased, and the next tenant gets the machine") {
  Story story;
  story.push({instance()});
  REQUIRE(story.until([&] { return story.runs(); }));

  SUBCASE("removed while protected: held, nothing is erased") {
    story.push({});
    REQUIRE(story.until([&] { return story.held(); }));
    CHECK_FALSE(story.until([&] { return story.world.erases > 0; }, 100));
  }
  SUBCASE("unprotected, but status could not tell it") {
    story.world.forge_down = true;
    story.push({instance("web-1", false)});
    CHECK_FALSE(story.until([] { return false; }, 5));
    story.push({});
    CHECK_FALSE(story.until([&] { return story.world.erases > 0; }, 100));
    CHECK(story.held());
  }
  SUBCASE("properly") {
    story.push({instance("web-1", false)});
    CHECK_FALSE(story.until([] { return false; }, 5));
    story.push({});
    REQUIRE(story.until([&] { return story.available(); }));
    CHECK(story.world.erases == 1);
    CHECK(story.world.power == PowerState::Off);
    CHECK_FALSE(story.facts->installed);
    REQUIRE(story.facts->erases.size() == 1);
    CHECK(story.facts->erases[0].verified);
    // Now the erase record is the proof: the owner's word is not needed any more.
    story.desired.lifecycle.existing_data = ExistingData::Keep;
    auto next = instance("db-1");
    next.tenant = "zeta";
    story.push({next});
    REQUIRE(story.until([&] { return story.runs(); }));
    CHECK(story.facts->claim->instance == "zeta/db-1");
    CHECK(story.world.installs == 2);
  }
}

TEST_CASE("an instance that goes before anything was written frees the machine, and nothing is erased") {
  Story story;
  story.world.guard_refuses = "outside of its windows";
  story.push({instance()});
  CHECK_FALSE(story.until([] { return false; }, 10));
  CHECK(story.facts->claim->instance == "acme/web-1");
  story.desired.lifecycle.existing_data = ExistingData::Keep;  // the owner thinks better of it
  story.push({});
  story.world.guard_refuses.clear();
  CHECK_FALSE(story.until([&] { return story.world.power_writes > 0; }, 50));
  CHECK((!story.facts || !story.facts->claim));
  CHECK(story.world.written_nonces.empty());
}

TEST_CASE("a held install ends by unprotecting and removing: erased, on the proof that the install had") {
  Story story;
  story.world.installer_fails = "no disk";
  story.push({instance()});
  REQUIRE(story.until([&] { return story.held(); }));
  story.world.installer_fails.clear();
  SUBCASE("removed while protected: held") {
    story.push({});
    CHECK_FALSE(story.until([&] { return story.world.erases > 0; }, 50));
  }
  SUBCASE("unprotected, but the owner's word is gone") {
    story.push({instance("web-1", false)});
    CHECK_FALSE(story.until([] { return false; }, 5));
    story.desired.lifecycle.existing_data = ExistingData::Keep;
    story.push({});
    CHECK_FALSE(story.until([&] { return story.world.erases > 0; }, 50));
  }
  SUBCASE("unprotected and removed") {
    story.push({instance("web-1", false)});
    CHECK_FALSE(story.until([] { return false; }, 5));
    CHECK(story.held());
    story.push({});
    REQUIRE(story.until([&] { return story.available(); }));
    CHECK(story.world.erases == 1);
  }
}

TEST_CASE("reinstall: raised after unprotecting, once") {
  Story story;
  story.push({instance()});
  REQUIRE(story.until([&] { return story.runs(); }));
  auto raised = instance("web-1", false);
  story.push({raised});
  CHECK_FALSE(story.until([] { return false; }, 5));
  raised.reinstall = 1;
  story.push({raised});
  REQUIRE(story.until([&] { return story.world.installs == 2 && story.runs(); }));
  CHECK(story.facts->installed->reinstall == 1);
  CHECK_FALSE(story.until([&] { return story.world.installs > 2; }, 100));
  raised.reinstall = 0;  // lowered: nothing
  story.push({raised});
  CHECK_FALSE(story.until([&] { return story.world.installs > 2; }, 100));
}

TEST_CASE("reinstall while protected, or raised with the unprotecting commit: nothing") {
  for (const bool is_protected : {true, false}) {
    Story story;
    story.push({instance()});
    REQUIRE(story.until([&] { return story.runs(); }));
    auto raised = instance("web-1", is_protected);
    raised.reinstall = 1;
    story.push({raised});
    CHECK_FALSE(story.until([&] { return story.world.installs > 1; }, 100));
    CHECK(story.held());
  }
}

TEST_CASE("faults end held or waiting, explained, and unharmed") {
  Story story;
  SUBCASE("the BMC lies about the boot override") {
    story.world.arm_error = "took it and does not show it";
    story.push({instance()});
    REQUIRE(story.until([&] { return story.held(); }));
    CHECK(story.facts->held.find("does not show it") != std::string::npos);
    CHECK(story.world.power_writes == 0);
  }
  SUBCASE("another machine answers") {
    story.world.serial = "OTHER";
    story.push({instance()});
    CHECK_FALSE(story.until([&] { return story.world.power_writes > 0; }, 50));
  }
  SUBCASE("another machine answers after the claim") {
    story.world.forge_down = true;
    story.push({instance()});
    CHECK_FALSE(story.until([] { return false; }, 5));
    story.world.serial = "OTHER";
    story.world.forge_up();
    CHECK_FALSE(story.until([&] { return story.world.power_writes > 0; }, 50));
  }
  SUBCASE("the guard refuses") {
    story.world.guard_refuses = "hands_off = true";
    story.push({instance()});
    CHECK_FALSE(story.until([&] { return story.world.power_writes > 0 || story.world.armed; }, 50));
    CHECK(story.facts->waits.find("hands_off") != std::string::npos);
  }
  SUBCASE("nimbus-boot is down") {
    story.world.boot_down = true;
    story.push({instance()});
    CHECK_FALSE(story.until([&] { return story.world.power_writes > 0; }, 3));
    story.world.boot_down = false;
    CHECK(story.until([&] { return story.runs(); }));
  }
  SUBCASE("the installer refuses") {
    story.world.installer_fails = "several disks match";
    story.push({instance()});
    REQUIRE(story.until([&] { return story.held(); }));
    CHECK(story.facts->held.find("several disks match") != std::string::npos);
  }
  SUBCASE("another host key") {
    story.world.ssh = reconcilers::SshAnswer::OtherKey;
    story.push({instance()});
    REQUIRE(story.until([&] { return story.held(); }));
    CHECK_FALSE(story.runs());
  }
  CHECK(story.world.installs <= 1);
}

TEST_CASE("two instances, one machine: the later one waits, with a reason") {
  Story story;
  story.push({instance("a-1"), instance("b-1")});
  REQUIRE(story.until([&] { return story.runs(); }));
  CHECK(story.facts->claim->instance == "acme/a-1");
  CHECK_FALSE(story.until([&] { return story.world.installs > 1; }, 50));
  // Told by the machine's next look at what is not placed.
  CHECK(story.world.forge.contains("tenants/acme/instances/b-1.toml"));
  CHECK(story.world.forge.at("tenants/acme/instances/b-1.toml").find("in use by acme/a-1") != std::string::npos);
}

TEST_CASE("a tenant's quota counts what waits, and is said") {
  Story story;
  auto first = instance("a-1"), second = instance("b-1");
  first.tenant = second.tenant = "capped";
  story.push({first, second});
  CHECK_FALSE(story.until([&] { return story.runs(); }, 20));
  CHECK(story.world.forge.at("tenants/capped/instances/b-1.toml").find("quota of 1 instances is used up") !=
        std::string::npos);
  story.push({first});
  CHECK(story.until([&] { return story.runs(); }));
}

TEST_CASE("limits: so many at once, so much destroyed in a time") {
  const WallTime now{100h};
  Policy policy;
  CHECK(installing_limit(policy, {.installing = 1000, .destructions = {}, .machines = 1}).empty());
  policy.limits.push_back({});
  policy.limits[0].disruption.machines_installing = 3;
  CHECK(installing_limit(policy, {.installing = 2, .destructions = {}, .machines = 9}).empty());
  CHECK_FALSE(installing_limit(policy, {.installing = 3, .destructions = {}, .machines = 9}).empty());
  policy.disruption.machines_installing = 2;
  CHECK_FALSE(installing_limit(policy, {.installing = 2, .destructions = {}, .machines = 9}).empty());

  LifeLoad load{.installing = 0, .destructions = {now - 1h, now - 25h}, .machines = 100};
  CHECK_FALSE(destructive_limit(policy, load, now).empty());  // one in 24 h unless said otherwise
  policy.limits[0].destructive.count = 5;
  CHECK(destructive_limit(policy, load, now).empty());
  load.destructions.assign(5, now);
  CHECK_FALSE(destructive_limit(policy, load, now).empty());
  policy.limits[0].destructive.count = 50;
  CHECK(destructive_limit(policy, load, now).empty());
  load.destructions.assign(10, now);
  CHECK_FALSE(destructive_limit(policy, load, now).empty());  // 10 percent of 100
  load = {.installing = 0, .destructions = {}, .machines = 1};
  CHECK(destructive_limit(policy, load, now).empty());  // at least one
  policy.limits.push_back({});                          // the earlier policy's limit counts as well
  load = {.installing = 0, .destructions = {now}, .machines = 100};
  CHECK_FALSE(destructive_limit(policy, load, now).empty());
}

TEST_CASE("a second release within the time waits, with a reason, and is not erased") {
  Story story;
  story.push({instance()});
  REQUIRE(story.until([&] { return story.runs(); }));
  story.push({instance("web-1", false)});
  CHECK_FALSE(story.until([] { return false; }, 5));
  story.push({});
  REQUIRE(story.until([&] { return story.available(); }));
  story.push({instance("web-2", false)});
  REQUIRE(story.until([&] { return story.runs(); }));
  CHECK_FALSE(story.until([] { return false; }, 5));
  story.limited = true;
  story.push({});
  CHECK_FALSE(story.until([&] { return story.world.erases > 1; }, 100));
  CHECK(story.facts->waits.find("releases and reinstalls") != std::string::npos);
  story.world.clock.advance(25h);
  CHECK(story.until([&] { return story.world.erases > 1; }));
}

TEST_CASE("addresses: the first free one of the range") {
  Network network;
  network.range = {"10.0.0.254", "10.0.1.1"};
  CHECK(free_address(network, {}) == "10.0.0.254");
  CHECK(free_address(network, {"10.0.0.254", "10.0.0.255", "10.0.1.0"}) == "10.0.1.1");
  CHECK(free_address(network, {"10.0.0.254", "10.0.0.255", "10.0.1.0", "10.0.1.1"}).empty());
  for (const auto* bad : {"", "10.0.0", "10.0.0.256", "10.0.0.1.1", "a.b.c.d", "fd00::1"}) {
    network.range = {bad, "10.0.1.1"};
    CHECK(free_address(network, {}).empty());
  }
  network.range = {"10.0.1.1", "10.0.0.1"};
  CHECK(free_address(network, {}).empty());
}

TEST_CASE("records survive the journal") {
  LifeRecord record;
  record.instance = "acme/web-1";
  record.claimed = WallTime{1234ms};
  record.erases = {{.disk = "d", .level = "secure", .method = "overwrite", .verified = true, .when = WallTime{5ms}}};
  record.run.emplace();
  record.run->id = "r";
  record.run->nonce = "n";
  record.run->state.phase = reconcilers::RunPhase::Handover;
  record.run->state.attempt = 2;
  auto back = parse_life(to_json(record));
  REQUIRE(back);
  CHECK(to_json(*back) == to_json(record));
  CHECK(back->run->state == record.run->state);
  for (const auto* bad : {"", "[]", "{\"run\":{}}", "{\"instance\":1}"}) CHECK_FALSE(parse_life(bad));
}

TEST_CASE("a status branch that was put back contradicts the journal: nothing is erased") {
  Story story;
  story.push({instance("web-1", false)});
  REQUIRE(story.until([&] { return story.runs(); }));
  CHECK_FALSE(story.until([] { return false; }, 5));
  story.push({});
  // Each time the controller writes the machine's document, somebody takes the install out.
  bool asked = false;
  CHECK_FALSE(story.until(
      [&] {
        auto& text = story.world.forge.at(story.world.machine_path);
        auto status = registry::parse_machine_status(text, story.world.machine_path);
        REQUIRE(status);
        status->installed.reset();
        text = registry::to_text(*status);
        asked = asked || story.facts->waits.find("the journal knows of a write") != std::string::npos;
        return story.world.erases > 0;
      },
      60));
  CHECK(asked);
}

TEST_CASE("what was installed for another instance is not touched, whatever the owner says") {
  LifeRecord record;
  record.installed.emplace();
  record.installed->disk = "serial.D1";
  record.installed_for = "acme/old-1";
  Story story;
  story.world.journal["life/p/m1"] = to_json(record);
  story.start();
  story.push({instance()});
  CHECK_FALSE(story.until([&] { return story.world.power_writes > 0; }, 50));
  CHECK(story.world.forge.at("tenants/acme/instances/web-1.toml").find("was not erased") != std::string::npos);
}
