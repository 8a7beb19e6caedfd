#include <doctest/doctest.h>

#include <algorithm>
#include <functional>

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

Instance instance() {
  Instance out;
  out.tenant = "acme";
  out.name = "web-1";
  return out;
}

}  // namespace

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
    CHECK(placement.others == std::vector<NotChosen>{{"a", "another fits with less waste"},
                                                     {"c", "too few cores, or they are not declared"}});
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
