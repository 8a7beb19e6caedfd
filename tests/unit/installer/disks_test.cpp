#include <doctest/doctest.h>

#include <functional>

#include "support.hpp"

using namespace nimbus;
using namespace nimbus::installer;
using namespace nimbus::installer::test;

namespace {
constexpr std::size_t kGib = std::size_t{1} << 30U;
}

TEST_CASE("one disk is chosen, or none is") {
  const auto small = disk_facts("A", 4 * kGib, "/dev/vda");
  const auto large = disk_facts("B", 40 * kGib, "/dev/vdb");
  auto stick = disk_facts("C", 8 * kGib, "/dev/sda");
  stick.removable = true;
  auto locked = disk_facts("D", 8 * kGib);
  locked.read_only = true;
  auto mounted = disk_facts("E", 8 * kGib);
  mounted.in_use = true;
  struct Row {
    const char* name;
    RootDiskHint hint;
    const char* only;
    std::vector<DiskFacts> disks;
    std::string expected;  // id, or empty
    Code code = Code::Internal;
  };
  const std::vector<Row> rows{
      {"the only one", {}, "", {small}, "serial.A"},
      {"no disk", {}, "", {}, "", Code::NotFound},
      {"two and no hint", {}, "", {small, large}, "", Code::Conflict},
      {"by serial", {.serial = "B"}, "", {small, large}, "serial.B"},
      {"by a serial that is not there", {.serial = "Z"}, "", {small, large}, "", Code::NotFound},
      {"two with the same serial", {.serial = "A"}, "", {small, small}, "", Code::Conflict},
      {"by least size", {.min_size_gib = 10}, "", {small, large}, "serial.B"},
      {"by most size", {.max_size_gib = 10}, "", {small, large}, "serial.A"},
      {"size says two", {.min_size_gib = 1}, "", {small, large}, "", Code::Conflict},
      {"all keys must match", {.serial = "A", .min_size_gib = 10}, "", {small, large}, "", Code::NotFound},
      {"removable does not count", {}, "", {small, stick}, "serial.A"},
      {"only removable", {}, "", {stick}, "", Code::NotFound},
      {"read-only does not count", {}, "", {locked}, "", Code::NotFound},
      {"a used one does not count", {}, "", {mounted}, "", Code::NotFound},
      {"settled already", {}, "serial.A", {small, large}, "serial.A"},
      {"settled, and gone", {}, "serial.A", {large}, "", Code::NotFound},
      {"settled, but the hint says another", {.serial = "B"}, "serial.A", {small, large}, "", Code::NotFound},
      {"too small for the image", {}, "", {disk_facts("F", 1000)}, "", Code::Invalid},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    auto chosen = choose_root_disk(row.hint, row.only, row.disks, 2000);
    if (row.expected.empty()) {
      REQUIRE_FALSE(chosen);
      CHECK(chosen.error().code == row.code);
    } else {
      REQUIRE(chosen);
      CHECK(chosen->id == row.expected);
    }
  }
}

TEST_CASE("leave to install needs every check, and each alone can refuse") {
  const auto disk = disk_facts("A", 4 * kGib);
  const auto good_plan = plan_for({}, 2 * kMib);
  const DiskWitness blank{.head_blank = true, .marker = {}};
  REQUIRE(permit_install(good_plan, machine_with({disk}), disk, blank));

  struct Row {
    const char* name;
    std::function<void(boot::InstallPlan&, MachineFacts&, DiskWitness&)> spoil;
  };
  const std::vector<Row> rows{
      {"erases", [](auto& plan, auto&, auto&) { plan.action = boot::PlanAction::Erase; }},
      {"other run", [](auto& plan, auto&, auto&) { plan.run = "run-2"; }},
      {"no run", [](auto& plan, auto& machine, auto&) { plan.run = machine.run = ""; }},
      {"other nonce", [](auto&, auto& machine, auto&) { machine.nonce = std::string(32, 'f'); }},
      {"short nonce", [](auto& plan, auto& machine, auto&) { plan.nonce = machine.nonce = "1"; }},
      {"other serial", [](auto&, auto& machine, auto&) { machine.identity.serial = "OTHER"; }},
      {"serial unreadable", [](auto&, auto& machine, auto&) { machine.identity.serial = ""; }},
      {"placeholder serial", [](auto& plan, auto& machine,
                                auto&) { plan.identity.serial = machine.identity.serial = "To be filled by O.E.M."; }},
      {"other NIC", [](auto&, auto& machine, auto&) { machine.macs = {"52:54:00:00:00:99"}; }},
      {"no proof", [](auto& plan, auto&, auto&) { plan.proof = boot::Proof::None; }},
      {"release is no install", [](auto& plan, auto&, auto&) { plan.proof = boot::Proof::Release; }},
      {"said to be erased, but is not",
       [](auto& plan, auto&, auto& witness) {
         plan.proof = boot::Proof::ErasedByUs;
         plan.erased = {"serial.A"};
         witness.head_blank = false;
       }},
      {"blank, but not among those that were erased",
       [](auto& plan, auto&, auto&) {
         plan.proof = boot::Proof::ErasedByUs;
         plan.erased = {"serial.B"};
       }},
      {"reinstall without a named disk", [](auto& plan, auto&, auto&) { plan.proof = boot::Proof::SameInstance; }},
      {"reinstall on a disk without our marker",
       [](auto& plan, auto&, auto& witness) {
         plan.proof = boot::Proof::SameInstance;
         plan.disk = "serial.A";
         witness.head_blank = false;
       }},
      {"reinstall on another instance's disk",
       [](auto& plan, auto&, auto& witness) {
         plan.proof = boot::Proof::SameInstance;
         plan.disk = "serial.A";
         witness = {.head_blank = false, .marker = "run-0 other/web-1"};
       }},
      {"this run wrote it already",
       [](auto&, auto&, auto& witness) { witness = {.head_blank = false, .marker = "run-1 acme/web-1"}; }},
      {"disk gone", [](auto&, auto& machine, auto&) { machine.disks.clear(); }},
      {"second disk matches", [](auto&, auto& machine, auto&) { machine.disks.push_back(disk_facts("B", 4 * kGib)); }},
      {"other disk at its place", [](auto&, auto& machine, auto&) { machine.disks[0] = disk_facts("B", 4 * kGib); }},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    auto plan = good_plan;
    auto machine = machine_with({disk});
    auto witness = blank;
    row.spoil(plan, machine, witness);
    CHECK_FALSE(permit_install(plan, machine, disk, witness));
  }
}

TEST_CASE("leave to install on a disk that was erased here: it has a record, and is blank") {
  const auto disk = disk_facts("A", 4 * kGib);
  auto plan = plan_for({}, 2 * kMib);
  plan.proof = boot::Proof::ErasedByUs;
  plan.erased = {"serial.B", "serial.A"};
  CHECK(permit_install(plan, machine_with({disk}), disk, {.head_blank = true, .marker = {}}));
}

TEST_CASE("leave to reinstall: marked, or cut off before") {
  const auto disk = disk_facts("A", 4 * kGib);
  auto plan = plan_for({}, 2 * kMib);
  plan.proof = boot::Proof::SameInstance;
  plan.disk = "serial.A";
  CHECK(permit_install(plan, machine_with({disk}), disk, {.head_blank = false, .marker = "run-0 acme/web-1"}));
  CHECK(permit_install(plan, machine_with({disk}), disk, {.head_blank = true, .marker = {}}));
  // The data disk beside it stays out of it.
  CHECK(permit_install(plan, machine_with({disk, disk_facts("DATA", 4 * kGib)}), disk,
                       {.head_blank = true, .marker = {}}));
}

TEST_CASE("leave to erase") {
  const auto disk = disk_facts("A", 4 * kGib);
  auto stick = disk_facts("USB", kGib);
  stick.removable = true;
  auto plan = plan_for({}, 0);
  plan.action = boot::PlanAction::Erase;
  plan.proof = boot::Proof::Release;
  stick.on_usb = true;
  auto leave = permit_erase(plan, machine_with({disk, stick}));
  REQUIRE(leave);
  REQUIRE(leave->permits.size() == 1);
  CHECK(leave->permits.front().disk().id == "serial.A");
  CHECK(leave->left_out.empty());

  CHECK_FALSE(permit_erase(plan, machine_with({stick})));
  for (const auto proof :
       {boot::Proof::None, boot::Proof::ErasedByUs, boot::Proof::OwnerConsents, boot::Proof::SameInstance}) {
    auto other = plan;
    other.proof = proof;
    CHECK_FALSE(permit_erase(other, machine_with({disk})));
  }
  auto wrong = machine_with({disk});
  wrong.identity.serial = "OTHER";
  CHECK_FALSE(permit_erase(plan, wrong));
  wrong = machine_with({disk});
  wrong.nonce = "x";
  CHECK_FALSE(permit_erase(plan, wrong));

  plan.disk = "serial.A";  // that was installed
  CHECK(permit_erase(plan, machine_with({disk, disk_facts("B", kGib)})));
  auto other = permit_erase(plan, machine_with({disk_facts("B", kGib)}));
  REQUIRE_FALSE(other);
  CHECK(other.error().code == Code::Conflict);
}

TEST_CASE("a release leaves no disk out silently") {
  struct Row {
    const char* name;
    std::function<void(DiskFacts&)> spoil;
    const char* why;  // null: none of the machine's disks
  };
  const std::vector<Row> rows{
      {"an SSD at its end of life", [](auto& disk) { disk.read_only = true; }, "it is read-only"},
      {"a disk that is too broken to say its size", [](auto& disk) { disk.bytes = 0; }, "it shows no size"},
      {"a mounted disk", [](auto& disk) { disk.in_use = true; }, "it is in use"},
      {"a disk on a port for hot plug", [](auto& disk) { disk.removable = true; }, "it says that it is removable"},
      {"a read-only USB disk", [](auto& disk) { disk.read_only = disk.on_usb = true; }, "it is read-only"},
      {"a stick", [](auto& disk) { disk.removable = disk.on_usb = true; }, nullptr},
      {"a read-only stick", [](auto& disk) { disk.removable = disk.on_usb = disk.read_only = true; }, nullptr},
      {"a card reader", [](auto& disk) { disk.removable = true, disk.bytes = 0; }, nullptr},
  };
  auto plan = plan_for({}, 0);
  plan.action = boot::PlanAction::Erase;
  plan.proof = boot::Proof::Release;
  for (const auto& row : rows) {
    CAPTURE(row.name);
    auto other = disk_facts("B", kGib);
    row.spoil(other);
    auto leave = permit_erase(plan, machine_with({disk_facts("A", kGib), other}));
    REQUIRE(leave);
    CHECK(leave->permits.size() == 1);
    REQUIRE(leave->left_out.size() == (row.why == nullptr ? 0 : 1));
    if (row.why != nullptr) CHECK(leave->left_out.front() == LeftOut{other, row.why});
    // Alone as well: that no disk can be erased must not look like a machine without disks.
    CHECK(permit_erase(plan, machine_with({other})).has_value() == (row.why != nullptr));
  }
}
