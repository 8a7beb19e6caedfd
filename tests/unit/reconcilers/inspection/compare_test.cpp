#include "reconcilers/inspection/compare.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>

using namespace nimbus;
using reconcilers::compare_hardware;

namespace {

constexpr std::uint64_t kGib = std::uint64_t{1} << 30U;

DesiredMachine declared() {
  DesiredMachine machine;
  machine.mac = "52:54:00:00:00:01";
  machine.hardware.cpu_cores = 32;
  machine.hardware.memory_gib = 256;
  machine.hardware.disks = {{480, DiskType::Nvme, "D1"}, {4000, DiskType::Hdd, ""}};
  machine.hardware.nics = {{"52:54:00:00:00:01", {}, {}, {}}, {"52:54:00:00:00:02", {}, {}, {}}};
  return machine;
}

Inventory as_declared() {
  Inventory seen;
  seen.memory = 256 * kGib;
  seen.processors = {{"CPU1", "", "", 16, 32}, {"CPU2", "", "", 16, 32}};
  seen.modules.emplace();
  for (int i = 1; i <= 8; ++i) seen.modules->push_back({"A" + std::to_string(i), "", "", "", 32 * kGib});
  seen.drives = {{"0", "", "", "D1", "", DriveKind::Nvme, 480'000'000'000},
                 {"1", "", "", "D2", "", DriveKind::Hdd, 4'000'000'000'000}};
  seen.ports = {{"NIC1", "52:54:00:00:00:01", {}, {}}, {"NIC2", "52:54:00:00:00:02", {}, {}}};
  return seen;
}

struct Row {
  const char* what;
  std::function<void(Inventory&)> change;
  std::vector<Drift> drifts;
};

}  // namespace

TEST_CASE("hardware: a table of changes and what is told of them") {
  const Row rows[] = {
      {"as declared", [](Inventory&) {}, {}},
      {"nothing could be read", [](Inventory& seen) { seen = {}; }, {}},
      {"a missing module",
       [](Inventory& seen) { seen.modules->pop_back(); },
       {{"hardware.memory_gib", "256", "224", ""}}},
      {"a module too many",
       [](Inventory& seen) { seen.modules->push_back(seen.modules->front()); },
       {{"hardware.memory_gib", "256", "288", ""}}},
      {"only the sum is told, less what firmware keeps",
       [](Inventory& seen) {
         seen.modules.reset();
         seen.memory = 251 * kGib;
       },
       {}},
      {"only the sum is told, and a module is missing",
       [](Inventory& seen) {
         seen.modules.reset();
         seen.memory = 224 * kGib;
       },
       {{"hardware.memory_gib", "256", "224", ""}}},
      {"one module does not tell its size: the sum counts",
       [](Inventory& seen) { seen.modules->front().size.reset(); },
       {}},
      {"a processor is gone",
       [](Inventory& seen) { seen.processors->pop_back(); },
       {{"hardware.cpu_cores", "32", "16", ""}}},
      {"a processor does not tell", [](Inventory& seen) { seen.processors->front().cores.reset(); }, {}},
      {"another disk in its place",
       [](Inventory& seen) { seen.drives->front().serial = "D9"; },
       {{"hardware.disk.D1", "present", "missing", ""}}},
      {"the BMC tells no serial numbers of disks",
       [](Inventory& seen) {
         for (auto& d : *seen.drives) d.serial.clear();
       },
       {}},
      {"a disk is gone",
       [](Inventory& seen) { seen.drives->pop_back(); },
       {{"hardware.disk[2]", "4000 GiB hdd", "missing", ""}}},
      {"a smaller disk",
       [](Inventory& seen) { seen.drives->back().size = 2'000'000'000'000; },
       {{"hardware.disk[2]", "4000 GiB hdd", "missing", ""}}},
      {"its size in powers of two", [](Inventory& seen) { seen.drives->back().size = 4000 * kGib; }, {}},
      {"another kind of disk",
       [](Inventory& seen) { seen.drives->back().kind = DriveKind::Ssd; },
       {{"hardware.disk[2]", "4000 GiB hdd", "missing", ""}}},
      {"drives were read and there are none",
       [](Inventory& seen) { seen.drives->clear(); },
       {{"hardware.disk[2]", "4000 GiB hdd", "missing", ""}}},
      {"a network card swapped",
       [](Inventory& seen) { seen.ports->back().mac = "52:54:00:00:00:99"; },
       {{"hardware.nic.52:54:00:00:00:02", "present", "missing; not declared: 52:54:00:00:00:99", ""}}},
      {"a network card gone",
       [](Inventory& seen) { seen.ports->pop_back(); },
       {{"hardware.nic.52:54:00:00:00:02", "present", "missing", ""}}},
      {"one more network card: nobody declared that there is none",
       [](Inventory& seen) {
         seen.ports->push_back({"NIC3", "52:54:00:00:00:03", {}, {}});
       },
       {}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    Inventory seen = as_declared();
    row.change(seen);
    CHECK(compare_hardware(declared(), seen) == row.drifts);
  }
}

TEST_CASE("hardware: what the file does not declare is never a drift") {
  CHECK(compare_hardware(DesiredMachine{}, as_declared()).empty());
}

TEST_CASE("hardware: two disks that look the same are two") {
  DesiredMachine machine;
  machine.hardware.disks = {{480, {}, ""}, {480, {}, ""}};
  Inventory seen;
  seen.drives = {{"0", "", "", "", "", DriveKind::Ssd, 480 * kGib}};
  CHECK(compare_hardware(machine, seen) == std::vector<Drift>{{"hardware.disk[2]", "480 GiB", "missing", ""}});
}
