#include <doctest/doctest.h>

#include <algorithm>

#include "simulator/fleet/fleet_file.hpp"

using namespace nimbus::simulator;

namespace {

bool has(const std::vector<std::string>& arguments, std::string_view part) {
  return std::any_of(arguments.begin(), arguments.end(),
                     [&](const auto& a) { return a.find(part) != std::string::npos; });
}

}  // namespace

TEST_CASE("the boot record decides order and firmware, and KVM is never asked for") {
  const VirtualMachineSpec spec{.folder = "/v", .disk = "/v/d.qcow2", .tap = "tap0"};
  const auto pxe = qemu_arguments(spec, "52:54:00:00:00:01", {.device = BootDevice::Pxe, .mode = BootMode::Legacy});
  CHECK(has(pxe, "id=nic0,mac=52:54:00:00:00:01,bootindex=1"));
  CHECK(has(pxe, "id=disk0,bootindex=2"));
  CHECK(has(pxe, "tcg"));
  CHECK_FALSE(has(pxe, "pflash"));
  CHECK_FALSE(has(pxe, "kvm"));
  CHECK(has(pxe, "format=qcow2"));
  const auto uefi = qemu_arguments(spec, "", {.device = BootDevice::Disk, .mode = BootMode::Uefi});
  CHECK(has(uefi, "id=disk0,bootindex=1"));
  CHECK(has(uefi, "pflash"));
  CHECK(boot_indexes(BootDevice::Cd).disc == 1);
}

TEST_CASE("a machine's virtual machine is described in its fleet file") {
  const auto fleet = parse_fleet(R"(format = 1
[[machine]]
name = "v"
[machine.qemu]
folder = "/v"
disk = "/v/disk.raw"
namespace = "lab"
tap = "tap0"
memory_mib = 64
)",
                                 "f.toml");
  REQUIRE(fleet.has_value());
  CHECK(fleet->machines[0].qemu->memory_mib == 64);
  CHECK_FALSE(parse_fleet("format = 1\n[[machine]]\nname = \"v\"\n[machine.qemu]\nfolder = \"/v\"\n", "f").has_value());
  CHECK_FALSE(
      parse_fleet("format = 1\n[[machine]]\nname = \"v\"\n[machine.qemu]\nfolder = \"/v\"\ndisk = \"a,b\"\n", "f")
          .has_value());
  CHECK_FALSE(parse_fleet("format = 1\n[[machine]]\nname = \"v\"\n[machine.qemu]\nfolder = \"/v\"\ndisk = "
                          "\"d\"\nnamespace = \"../x\"\n",
                          "f")
                  .has_value());
}
