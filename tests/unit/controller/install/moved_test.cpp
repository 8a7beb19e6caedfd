// Records follow the hardware: machines whose files are renamed, exchanged, edited or removed.
#include <doctest/doctest.h>

#include "controller/install/lifecycle.hpp"
#include "world.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using namespace nimbus::controller::test;
using namespace std::chrono_literals;

namespace {

constexpr const char* kInstance = "tenants/acme/instances/web-1.toml";

class PlainBmc final : public Bmc, private BmcPower {
 public:
  BmcPower* power() noexcept override { return this; }
  void close(const Call&) noexcept override {}
  int writes = 0;

 private:
  Result<PowerState> power(const Call&) override { return PowerState::On; }
  Result<WriteOutcome> act(PowerAction, const Call&) override {
    ++writes;
    return WriteOutcome::Accepted;
  }
};

DesiredMachine machine(const std::string& name, const std::string& serial,
                       ExistingData existing = ExistingData::Erase) {
  DesiredMachine out;
  out.id = {"p", name};
  out.path = "providers/p/machines/" + name + ".toml";
  out.mac = kMac;
  out.identity.serial = serial;
  out.boot.network = "prov";
  out.lifecycle.existing_data = existing;
  return out;
}

/// A site: its journal and forge stay when nimbusd is started again.
struct Site {
  Site() { start(); }
  void start() {
    LifecycleTools tools = tools_in(world);
    tools.store.remember = [this](const auto& key, const auto& value) -> Result<> {
      if (remembers-- == 0) return Error{Code::Internal, "the journal's disk is full"};
      world.journal[key] = value;
      return {};
    };
    life.emplace(std::move(tools));
    if (!machines.empty()) push(machines);
  }

  void push(std::vector<DesiredMachine> wanted) {
    machines = std::move(wanted);
    AcceptedRegistry registry;
    for (const auto& one : machines) {
      registry.machines[one.id.machine] = {std::make_shared<const DesiredMachine>(one), "", nullptr};
    }
    Wishes wishes = wishes_at("c");
    for (const auto* name : {"web-1", "web-2"}) {
      if (name == std::string("web-2") && !second) continue;
      Instance instance;
      instance.tenant = "acme";
      instance.name = name;
      instance.provider = "p";
      wishes.instances[instance.id()] = wish_for(instance);
    }
    REQUIRE(life->accept(registry, std::move(wishes)));
    life->seed(world.forge);
  }

  std::optional<LifeFacts> pass(const DesiredMachine& one) {
    world.clock.advance(5s);
    const std::string commit = "c";
    const auto power = Observed<PowerState>::known(PowerState::On, world.clock.wall());
    const auto match = match_identity(one.identity, one.identity);
    const Call call{world.clock.now() + 30s};
    auto told = life->step({.desired = one,
                            .commit = commit,
                            .bmc = bmc,
                            .power = power,
                            .match = match,
                            .given_up = {},
                            .guard = [] { return std::optional<Refusal>(); },
                            .call = call});
    if (!told || told->outdated) return told;
    world.put(one.path, document_of(one.identity, *told));
    return told;
  }

  /// All machines, a few times; nothing may be written meanwhile.
  void passes() {
    for (int i = 0; i < 5; ++i) {
      for (const auto& one : machines) facts[one.id.machine] = pass(one);
    }
    CHECK(bmc.writes == 0);
    CHECK(world.run_order() == nullptr);
  }
  std::string claimed(const std::string& name) const {
    const auto& told = facts.at(name);
    return told && told->claim ? told->claim->instance : std::string();
  }

  World world;
  PlainBmc bmc;
  bool second = false;
  int remembers = -1;  // how often the journal takes something; below 0: always
  std::vector<DesiredMachine> machines;
  std::optional<controller::Lifecycle> life;
  std::map<std::string, std::optional<LifeFacts>> facts;
};

LifeRecord installed(const std::string& instance, const std::string& disk) {
  LifeRecord record;
  record.instance = record.installed_for = instance;
  record.address = "10.0.0.15";
  record.host_key = kHostKey;
  record.installed.emplace();
  record.installed->disk = disk;
  return record;
}

/// acme/web-1 runs on the machine with that serial number, called `name` so far.
void runs_on(Site& site, const std::string& name, const std::string& serial) {
  LifeRecords records({.remember = [&](const auto& key, const auto& value) -> Result<> {
                         site.world.journal[key] = value;
                         return {};
                       },
                       .recall_all = [](const auto&) { return std::map<std::string, std::string>(); }},
                      "p");
  REQUIRE(records.keep("", name, {.serial = serial, .uuid = {}, .bmc_guid = {}}, installed("acme/web-1", "serial.D1")));
}

}  // namespace

TEST_CASE("a machine that is renamed keeps its instance: nothing is installed again") {
  for (const bool restarted : {false, true}) {
    CAPTURE(restarted);
    Site site;
    runs_on(site, "m1", "S1");
    site.push({machine("m1", "S1")});
    site.passes();
    CHECK(site.claimed("m1") == "acme/web-1");
    site.push({machine("m2", "S1")});
    if (restarted) site.start();
    site.passes();
    CHECK(site.claimed("m2") == "acme/web-1");
    CHECK(site.facts["m2"]->installed->disk == "serial.D1");
    CHECK(site.facts["m2"]->phase == registry::MachinePhase::Active);
    CHECK(site.world.forge.at(kInstance).find("\"m2\"") != std::string::npos);
    CHECK(site.world.forge.at(kInstance).find("10.0.0.15") != std::string::npos);
  }
}

TEST_CASE("a machine that is renamed while the data folder is lost: status knows it by its serial number") {
  Site site;
  runs_on(site, "m1", "S1");
  site.push({machine("m1", "S1")});
  site.passes();
  site.world.journal.clear();
  site.machines.clear();
  site.start();
  site.push({machine("m2", "S1")});
  site.passes();
  CHECK(site.claimed("m2") == "acme/web-1");
  CHECK(site.world.forge.at(kInstance).find("10.0.0.15") != std::string::npos);
  CHECK(site.world.forge.at(kInstance).find(kHostKey) != std::string::npos);
}

TEST_CASE("two machines whose files were mixed up: each record stays with its hardware") {
  Site site;
  runs_on(site, "m1", "S1");
  site.push({machine("m1", "S1"), machine("m2", "S2", ExistingData::Keep)});
  site.passes();
  site.push({machine("m1", "S2", ExistingData::Keep), machine("m2", "S1")});
  const auto late = site.pass(machine("m1", "S1"));  // a pass that began before the commit
  REQUIRE(late);
  CHECK(late->outdated);
  CHECK(late->busy);
  site.passes();
  CHECK(site.claimed("m2") == "acme/web-1");
  CHECK(site.claimed("m1").empty());
  site.start();
  site.passes();
  CHECK(site.claimed("m2") == "acme/web-1");
  CHECK(site.claimed("m1").empty());
}

TEST_CASE("another machine under the name of one that moved begins with nothing") {
  Site site;
  runs_on(site, "m1", "S1");
  site.push({machine("m1", "S1")});
  site.passes();
  site.push({machine("m1", "S9", ExistingData::Keep), machine("m2", "S1")});
  site.passes();
  CHECK(site.claimed("m2") == "acme/web-1");
  CHECK(site.claimed("m1").empty());
}

TEST_CASE("a board was replaced: the file's new identity keeps the record") {
  Site site;
  runs_on(site, "m1", "S1");
  site.push({machine("m1", "S1")});
  site.passes();
  site.push({machine("m1", "S7")});
  site.passes();
  CHECK(site.claimed("m1") == "acme/web-1");
  site.start();
  site.passes();
  CHECK(site.claimed("m1") == "acme/web-1");
  // The old board comes back under another name: it has no life of its own yet.
  site.push({machine("m1", "S7"), machine("m3", "S1", ExistingData::Keep)});
  site.passes();
  CHECK(site.claimed("m1") == "acme/web-1");
  CHECK(site.claimed("m3").empty());
}

TEST_CASE("a machine's file is removed: its instance is not installed elsewhere, and says why") {
  Site site;
  runs_on(site, "m1", "S1");
  site.push({machine("m1", "S1")});
  site.passes();
  site.push({machine("m2", "S2")});  // whose owner lets anything go
  site.passes();
  CHECK(site.claimed("m2").empty());
  const auto told = registry::parse_instance_status(site.world.forge.at(kInstance), kInstance);
  REQUIRE(told);
  CHECK(told->phase == registry::InstancePhase::Failed);
  CHECK(told->message == "its machine m1 is no longer in the registry; it is left as it is");
  site.start();
  site.passes();
  CHECK(site.claimed("m2").empty());
  site.push({machine("m2", "S2", ExistingData::Keep), machine("m1", "S1")});  // it comes back
  site.passes();
  CHECK(site.claimed("m1") == "acme/web-1");
}

TEST_CASE("a machine's file is removed before anything was written: the instance goes elsewhere") {
  Site site;
  site.push({machine("m1", "S1")});
  site.pass(site.machines[0]);
  REQUIRE(site.pass(site.machines[0])->claim->instance == "acme/web-1");
  site.push({machine("m2", "S2")});
  site.pass(site.machines[0]);
  site.pass(site.machines[0]);
  CHECK(site.pass(site.machines[0])->claim->instance == "acme/web-1");
  site.push({machine("m2", "S2"), machine("m1", "S1")});
  const auto back = site.pass(site.machines[1]);
  CHECK((!back || !back->claim));
}

TEST_CASE("records: keys, what cannot be read, and a journal that takes nothing") {
  std::map<std::string, std::string> journal;
  bool full = false;
  const LifeStore store{.remember = [&](const auto& key, const auto& value) -> Result<> {
                          if (full) return Error{Code::Internal, "full"};
                          journal[key] = value;
                          return {};
                        },
                        .recall_all = [&](const auto&) { return journal; }};
  const Identity one{.serial = "S1", .uuid = "u-1", .bmc_guid = {}};
  LifeRecords records(store, "p");
  REQUIRE(records.open());
  const auto key = records.keep("", "m1", one, installed("acme/web-1", "d"));
  REQUIRE(key);
  CHECK(*key == "life/p/serial=S1");
  full = true;
  CHECK_FALSE(records.keep(*key, "m1", one, {}));
  CHECK(records.get(*key).instance == "acme/web-1");
  full = false;

  LifeRecords again(store, "p");
  REQUIRE(again.open());
  // By either of its marks, but not if another one is different.
  CHECK(again.find("x", {{"x", {.serial = {}, .uuid = "u-1", .bmc_guid = {}}}}) == *key);
  CHECK(again.find("x", {{"x", {.serial = "S1", .uuid = "u-2", .bmc_guid = {}}}}).empty());
  CHECK(again.absent({}).at("acme/web-1").machine == "m1");
  CHECK(again.absent({*key}).empty());

  journal = {{"life/p/m5", to_json(installed("acme/old", "d"))}};  // as it was kept by name
  LifeRecords old(store, "p");
  REQUIRE(old.open());
  CHECK(old.find("m5", {{"m5", one}}) == "life/p/m5");

  for (const auto* bad : {"", "[]", "{\"record\":{}}", "{\"record\":\"[]\"}"}) {
    CAPTURE(bad);
    journal = {{"life/p/serial=S1", bad}};
    LifeRecords broken(store, "p");
    CHECK_FALSE(broken.open());
  }
}
