#include <doctest/doctest.h>

#include "registry/status/ramdisk_record.hpp"

using namespace nimbus;
using namespace nimbus::registry;

TEST_CASE("cabling: what is declared, against what was heard") {
  const RamdiskRecord seen{
      .neighbours =
          {{.nic = "52:54:00:00:00:01", .system = "leaf-b2", .chassis = "00:1c:73:0a:0b:0c", .port = "Ethernet17"},
           {.nic = "52:54:00:00:00:02", .system = {}, .chassis = "00:1c:73:0a:0b:0d", .port = "Ethernet1"}},
      .pci = {}};
  const auto drifts = [&](const std::string& mac, const std::string& device, const std::string& port) {
    HardwareDeclaration declared;
    declared.nics = {{.mac = mac, .speed_gbps = {}, .switch_name = device, .port = port}};
    return compare_cabling(declared, seen);
  };
  const std::string first = "52:54:00:00:00:01";
  const std::string second = "52:54:00:00:00:02";
  CHECK(drifts(first, "leaf-b2", "Ethernet17").empty());
  CHECK(drifts(first, "00:1c:73:0a:0b:0c", "Ethernet17").empty());
  CHECK(drifts(first, "leaf-b2", "").empty());
  CHECK(drifts(first, "", "Ethernet17").empty());
  CHECK(drifts(first, "", "").empty());
  CHECK(drifts("52:54:00:00:00:09", "leaf-b2", "Ethernet17").empty());  // nothing was heard there
  CHECK(drifts(first, "leaf-b3", "Ethernet17") ==
        std::vector<Drift>{{"hardware.cable." + first, "leaf-b3 Ethernet17", "leaf-b2 Ethernet17", ""}});
  CHECK(drifts(first, "", "Ethernet18") ==
        std::vector<Drift>{{"hardware.cable." + first, "Ethernet18", "Ethernet17", ""}});
  CHECK(drifts(second, "leaf-b2", "Ethernet1") ==
        std::vector<Drift>{{"hardware.cable." + second, "leaf-b2 Ethernet1", "00:1c:73:0a:0b:0d Ethernet1", ""}});
}

TEST_CASE("from inside: what is declared and was not seen") {
  constexpr std::int64_t kGib = std::int64_t{1} << 30;
  const RamdiskRecord seen{.cpus = 32,
                           .memory_bytes = 251 * kGib,
                           .disks = {{"serial.A", "A", 447 * kGib}, {"serial.B", "B", 3576 * kGib}},
                           .macs = {"52:54:00:00:00:01"}};
  HardwareDeclaration declared;
  declared.cpu_cores = 16;
  declared.memory_gib = 256;
  declared.disks.resize(2);
  declared.disks[0].size_gib = 480;
  declared.disks[1].serial = "B";
  declared.nics = {{.mac = "52:54:00:00:00:01", .speed_gbps = {}, .switch_name = {}, .port = {}}};
  CHECK(compare_inside(declared, seen).empty());
  CHECK(compare_inside({}, seen).empty());
  declared.cpu_cores = 64;
  declared.memory_gib = 512;
  declared.disks[0].size_gib = 7680;
  declared.disks[1].serial = "C";
  declared.nics[0].mac = "52:54:00:00:00:02";
  CHECK(compare_inside(declared, seen) ==
        std::vector<Drift>{{"hardware.ramdisk.cpu_cores", "64", "32 processors", ""},
                           {"hardware.ramdisk.memory_gib", "512", "251", ""},
                           {"hardware.ramdisk.disk[0]", "7680 GiB", "", ""},
                           {"hardware.ramdisk.disk[1]", "C", "", ""},
                           {"hardware.ramdisk.nic.52:54:00:00:00:02", "52:54:00:00:00:02", "", ""}});
  CHECK(compare_inside(declared, RamdiskRecord{}).empty());  // nobody looked
}
