#include <doctest/doctest.h>

#include "registry/status/ramdisk_record.hpp"

using namespace nimbus;
using namespace nimbus::registry;

TEST_CASE("cabling: what is declared, against what was heard") {
  const RamdiskRecord seen{
      .tpm = {},
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
