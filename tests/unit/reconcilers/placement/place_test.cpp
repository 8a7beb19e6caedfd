#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <random>

#include "reconcilers/placement/place.hpp"

using namespace nimbus;
using namespace nimbus::reconcilers;

namespace {

DesiredMachine machine(const std::string& name, std::int64_t cores = 8) {
  DesiredMachine out;
  out.id = {"p", name};
  out.mac = "52:54:00:00:00:01";
  out.hardware.cpu_cores = cores;
  out.hardware.memory_gib = 64;
  out.hardware.disks = {{.size_gib = 480, .type = DiskType::Nvme}};
  return out;
}

Placement place_instance(const Instance& wanted, const std::vector<Candidate>& candidates) {
  return nimbus::reconcilers::place_instance(wanted, candidates, surroundings_of(wanted, {}, nullptr, std::nullopt));
}

Instance instance() {
  Instance out;
  out.tenant = "acme";
  out.name = "web-1";
  return out;
}

}  // namespace

TEST_CASE("a machine that cannot be installed is not claimed") {
  auto one = machine("a");
  std::string unbootable;
  std::string words;
  SUBCASE("UEFI HTTP boot") {
    one.boot.method = BootMethod::Http;
    words = "boot.method = \"http\" is not supported yet";
  }
  SUBCASE("virtual media") {
    one.boot.method = BootMethod::VirtualMedia;
    words = "boot.method = \"virtual-media\" is not supported yet";
  }
  SUBCASE("an identity that only the BMC knows") {
    one.identity.bmc_guid = "44454c4c-3300-1041-8041-b7c04f314232";
    words = "needs a serial or uuid";
  }
  SUBCASE("a network that nobody serves") { words = unbootable = "its boot network b is not served"; }
  const auto placement = place_instance(instance(), {{.machine = &one, .available = true, .unbootable = unbootable}});
  CHECK(placement.machine.empty());
  REQUIRE(placement.others.size() == 1);
  CHECK(placement.others[0].why.find(words) != std::string::npos);
  one.identity.serial = "S1";
  one.boot.method = BootMethod::Pxe;
  CHECK(place_instance(instance(), {{.machine = &one, .available = true}}).machine == "a");
}

TEST_CASE("least waste first, whatever the order, and a reason for every other") {
  const auto small = machine("b", 4);
  const auto large = machine("a", 64);
  const auto tiny = machine("c", 2);
  auto wanted = instance();
  wanted.requirements.cpu_cores = 4;
  std::vector<Candidate> candidates{{.machine = &small, .available = true},
                                    {.machine = &large, .available = true},
                                    {.machine = &tiny, .available = true}};
  for (int turn = 0; turn < 3; ++turn) {
    const auto placement = place_instance(wanted, candidates);
    CHECK(placement.machine == "b");
    CHECK(placement.others == std::vector<NotChosen>{{"a", "another fits with less waste", "p"},
                                                     {"c", "has 2 cores; 4 are asked for", "p"}});
    std::rotate(candidates.begin(), candidates.begin() + 1, candidates.end());
  }
}

TEST_CASE("equal machines: by name") {
  const auto a = machine("a");
  const auto b = machine("b");
  CHECK(place_instance(instance(), {{.machine = &b, .available = true}, {.machine = &a, .available = true}}).machine ==
        "a");
}

TEST_CASE("each reason alone keeps a machine from being chosen") {
  const std::vector<std::function<void(DesiredMachine&, Candidate&, Instance&)>> spoils{
      [](auto&, auto& c, auto&) { c.claimed_by = "other/x"; },
      [](auto& m, auto&, auto&) { m.lifecycle.hands_off = true; },
      [](auto& m, auto&, auto&) { m.lifecycle.state = LifecycleState::Maintenance; },
      [](auto& m, auto&, auto&) { m.lifecycle.state = LifecycleState::Retired; },
      [](auto&, auto& c, auto&) { c.admitted = false; },
      [](auto& m, auto&, auto&) { m.reserved_for = {"other"}; },
      [](auto& m, auto&, auto&) { m.mac.clear(); },
      [](auto&, auto&, auto& i) { i.requirements.machine = "other"; },
      [](auto&, auto&, auto& i) { i.requirements.arch = Arch::Aarch64; },
      [](auto&, auto&, auto& i) { i.requirements.cpu_cores = 9; },
      [](auto&, auto&, auto& i) { i.requirements.memory_gib = 65; },
      [](auto&, auto&, auto& i) {
        i.requirements.labels = {{"class", "gpu"}};
      },
      [](auto&, auto&, auto& i) { i.requirements.disks = {{.size_gib = 481}}; },
      [](auto&, auto&, auto& i) { i.requirements.disks = {{.type = DiskType::Hdd}}; },
      [](auto&, auto&, auto& i) {
        i.requirements.disks = {{}, {}};
      },
      [](auto&, auto& c, auto&) { c.available = false; },
      [](auto&, auto& c, auto&) { c.healthy = false; },
  };
  for (const auto& spoil : spoils) {
    auto m = machine("m");
    auto i = instance();
    Candidate c{.machine = &m, .available = true};
    CHECK(place_instance(i, {c}).machine == "m");
    spoil(m, c, i);
    const auto placement = place_instance(i, {c});
    CHECK(placement.machine.empty());
    REQUIRE(placement.others.size() == 1);
    CHECK_FALSE(placement.others[0].why.empty());
  }
}

TEST_CASE("a machine with data is placed on only with its owner's word") {
  auto m = machine("m");
  Candidate c{.machine = &m, .available = false};
  const auto kept = place_instance(instance(), {c});
  CHECK(kept.machine.empty());
  CHECK(kept.others[0].why.find("may hold data") != std::string::npos);
  m.lifecycle.existing_data = ExistingData::Erase;
  CHECK(place_instance(instance(), {c}).machine == "m");
}

TEST_CASE("requirements that one disk cannot serve twice, and disks that serve in the wrong order") {
  auto m = machine("m");
  m.hardware.disks = {{.size_gib = 960, .type = DiskType::Nvme}, {.size_gib = 480, .type = DiskType::Ssd}};
  auto wanted = instance();
  wanted.requirements.disks = {{.size_gib = 100}, {.size_gib = 900}};
  CHECK(place_instance(wanted, {{.machine = &m, .available = true}}).machine == "m");
  wanted.requirements.disks = {{}, {.type = DiskType::Ssd}};
  CHECK(place_instance(wanted, {{.machine = &m, .available = true}}).machine == "m");
  wanted.requirements.disks = {{.size_gib = 500}, {.size_gib = 500}};
  CHECK(place_instance(wanted, {{.machine = &m, .available = true}}).machine.empty());
}

TEST_CASE("image, tenant's providers, quota and group: one reason each, and the limit itself is allowed") {
  auto m = machine("m", 32);
  m.location.rack = "b2";
  auto other = machine("o", 8);
  other.location.rack = "b2";
  auto there = instance();
  there.name = "web-0";
  auto wanted = instance();
  wanted.requirements.group = there.requirements.group = "web";
  const std::vector<OtherInstance> others{{&there, &other}, {&wanted, nullptr}};
  Tenant tenant{.name = "acme", .providers = {"p"}};
  const auto why = [&](std::optional<Arch> arch = std::nullopt) {
    const auto placement = nimbus::reconcilers::place_instance(wanted, {{.machine = &m, .available = true}},
                                                               surroundings_of(wanted, others, &tenant, arch));
    return placement.machine.empty() ? placement.others.at(0).why : placement.machine;
  };
  CHECK(why() == "m");
  CHECK(why(Arch::Aarch64) == "is x86_64, and the image is for aarch64");
  tenant.providers = {"q"};
  CHECK(why() == "acme may not use this provider");
  tenant.providers = {"*"};
  tenant.quota = {.instances = 2, .cpu_cores = 40, .memory_gib = 128};
  CHECK(why() == "m");
  tenant.quota.instances = 1;
  CHECK(why() == "the quota of 1 instances is used up");
  tenant.quota = {.cpu_cores = 39};
  CHECK(why() == "the quota of 39 cores would be exceeded: 8 are taken, and it has 32");
  tenant.quota = {.memory_gib = 127};
  CHECK(why().find("127 GiB of memory") != std::string::npos);
  tenant.quota = {};
  wanted.requirements.spread = Spread::Rack;
  CHECK(why() == "spread = \"rack\": acme/web-0 of the same group is in rack b2 too");
  m.location.rack.clear();
  CHECK(why().find("not declared") != std::string::npos);
  m.location.rack = "b3";
  CHECK(why() == "m");
  wanted.requirements.spread = Spread::Provider;
  CHECK(why() == "spread = \"provider\": acme/web-0 of the same group is at this provider");
  there.requirements.group = "db";
  CHECK(why() == "m");
}

TEST_CASE("instances that wait count with what they ask for") {
  auto waits = instance();
  waits.name = "web-0";
  waits.requirements.cpu_cores = 16;
  waits.requirements.memory_gib = 64;
  auto foreign = waits;
  foreign.tenant = "globex";
  const auto around = surroundings_of(instance(), {{&waits, nullptr}, {&foreign, nullptr}}, nullptr, std::nullopt);
  CHECK(around.used == Surroundings::Usage{1, 16, 64});
}

TEST_CASE("property: the choice meets every demand, wastes least, and does not depend on the order") {
  std::mt19937 random(1);
  const auto one_of = [&](int count) { return static_cast<std::int64_t>(random() % static_cast<unsigned>(count)); };
  int placed = 0;
  for (int round = 0; round < 3000; ++round) {
    std::vector<DesiredMachine> machines;
    for (std::int64_t i = one_of(6); i >= 0; --i) {
      auto m = machine("m" + std::to_string(i), 4 * one_of(4));
      m.id.provider = one_of(2) == 0 ? "p" : "q";
      m.hardware.memory_gib = 32 * one_of(4);
      m.location.rack = std::string(1, static_cast<char>('a' + one_of(2)));
      if (one_of(5) == 0) m.lifecycle.hands_off = true;
      machines.push_back(std::move(m));
    }
    std::vector<Candidate> candidates;
    for (const auto& m : machines)
      candidates.push_back({.machine = &m,
                            .claimed_by = one_of(5) == 0 ? "x/y" : "",
                            .healthy = one_of(5) > 0,
                            .available = one_of(5) > 0});
    auto wanted = instance();
    wanted.requirements.cpu_cores = 4 * one_of(4);
    wanted.requirements.memory_gib = 32 * one_of(3);
    wanted.requirements.spread = static_cast<Spread>(one_of(3));
    auto neighbour = instance();
    neighbour.name = "web-0";
    auto its = machine("n");
    its.location.rack = "a";
    Tenant tenant{.name = "acme", .quota = {.cpu_cores = 16}, .providers = {"*"}};
    const auto around = surroundings_of(wanted, {{&neighbour, &its}}, &tenant, std::nullopt);
    const auto placement = nimbus::reconcilers::place_instance(wanted, candidates, around);
    CHECK(placement.others.size() + (placement.machine.empty() ? 0 : 1) == candidates.size());
    for (const auto& other : placement.others) CHECK_FALSE(other.why.empty());
    std::shuffle(candidates.begin(), candidates.end(), random);
    CHECK(nimbus::reconcilers::place_instance(wanted, candidates, around).machine == placement.machine);
    if (placement.machine.empty()) continue;
    ++placed;
    const auto chosen = std::find_if(candidates.begin(), candidates.end(), [&](const auto& c) {
      return c.machine->id.machine == placement.machine && c.machine->id.provider == placement.provider;
    });
    REQUIRE(chosen != candidates.end());
    CHECK(
        (chosen->healthy && chosen->available && chosen->claimed_by.empty() && !chosen->machine->lifecycle.hands_off));
    CHECK(*chosen->machine->hardware.cpu_cores >= *wanted.requirements.cpu_cores);
    CHECK(*chosen->machine->hardware.cpu_cores + around.used.cpu_cores <= 16);
    // Alone, no cheaper one would have been taken either.
    for (const auto& candidate : candidates) {
      if (*candidate.machine->hardware.cpu_cores >= *chosen->machine->hardware.cpu_cores) continue;
      CHECK(nimbus::reconcilers::place_instance(wanted, {candidate}, around).machine.empty());
    }
  }
  CHECK(placed > 300);
}

TEST_CASE("the choice without reasons is the choice with reasons") {
  std::mt19937 random(11);
  const auto below = [&](unsigned most) { return static_cast<int>(random() % most); };
  int placed = 0, refused = 0;
  for (int round = 0; round < 2000; ++round) {
    std::vector<DesiredMachine> machines;
    for (int i = 0; i < 6; ++i) {
      auto each = machine("m" + std::to_string(i), 1 << below(4));
      each.location.rack = below(2) != 0 ? "r1" : "";
      each.lifecycle.hands_off = below(6) == 0;
      if (below(6) == 0) each.reserved_for = {"zeta"};
      machines.push_back(std::move(each));
    }
    std::vector<Candidate> candidates;
    for (const auto& each : machines) {
      candidates.push_back({.machine = &each,
                            .claimed_by = below(5) == 0 ? "acme/other" : "",
                            .admitted = below(9) != 0,
                            .healthy = below(8) != 0,
                            .available = below(6) != 0});
    }
    std::shuffle(candidates.begin(), candidates.end(), random);
    auto wanted = instance();
    wanted.requirements.cpu_cores = 1 << below(4);
    if (below(3) == 0) wanted.requirements.machine = "m" + std::to_string(below(7));
    if (below(3) == 0) wanted.requirements.spread = Spread::Rack;
    auto neighbour = instance();
    neighbour.name = "web-2";
    const Tenant tenant{.name = "acme", .quota = {.cpu_cores = 8 + below(12)}, .providers = {"*"}};
    const auto around = surroundings_of(wanted, {{&neighbour, &machines[0]}}, &tenant, std::nullopt);
    const auto* chosen = choose_machine(wanted, candidates, around);
    const auto placement = nimbus::reconcilers::place_instance(wanted, candidates, around);
    CHECK((chosen == nullptr ? "" : chosen->machine->id.machine) == placement.machine);
    for (const auto& candidate : candidates) {
      if (&candidate == chosen) CHECK(why_not(wanted, candidate, around).empty());
      if (chosen == nullptr) CHECK_FALSE(why_not(wanted, candidate, around).empty());
    }
    ++(chosen == nullptr ? refused : placed);
  }
  CHECK(placed > 300);
  CHECK(refused > 300);
}
