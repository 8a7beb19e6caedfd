#include <doctest/doctest.h>

#include <algorithm>

#include "simulator/fleet/fleet_file.hpp"

using namespace nimbus::simulator;

namespace {

bool has(const std::vector<std::string>& arguments, std::string_view part) {
  return std::any_of(arguments.begin(), arguments.end(),
                     [&](const auto& a) { return a.find(part) != std::string::npos; });
}

const VirtualMachineIdentity kIdentity{.mac = "52:54:00:00:00:01",
                                       .uuid = "4c4c4544-0033-4110-8041-b7c04f314232",
                                       .manufacturer = "Acme, Inc.",
                                       .model = "A1",
                                       .serial = "SN1",
                                       .disk_serial = "SD0000000001",
                                       .data_disk_serial = "SD0000000002"};

}  // namespace

TEST_CASE("the boot record decides order and firmware, and KVM is never asked for") {
  const VirtualMachineSpec spec{.folder = "/v", .disk = "/v/d.qcow2", .tap = "tap0"};
  const auto pxe = qemu_arguments(spec, kIdentity, {.device = BootDevice::Pxe, .mode = BootMode::Legacy});
  CHECK(has(pxe, "id=nic0,mac=52:54:00:00:00:01,bootindex=1"));
  CHECK(has(pxe, "id=disk0,serial=SD0000000001,bootindex=2"));
  CHECK(has(pxe, "virtio-blk-pci,drive=drive0"));
  const VirtualMachineSpec with_nvme{.folder = "/v", .disk = "/v/d.qcow2", .tap = "tap0", .disk_bus = DiskBus::Nvme};
  CHECK(has(qemu_arguments(with_nvme, kIdentity, {.device = BootDevice::Pxe, .mode = BootMode::Legacy}),
            "nvme,drive=drive0,id=disk0,serial=SD0000000001,bootindex=2"));
  CHECK_FALSE(has(pxe, "drive1"));
  CHECK_FALSE(has(pxe, "ahci"));
  const VirtualMachineSpec with_two{.folder = "/v", .disk = "/v/d.raw", .data_disk = "/v/data.raw"};
  const auto two = qemu_arguments(with_two, kIdentity, {});
  CHECK(has(two, "id=drive1,file=/v/data.raw,format=raw"));
  CHECK(has(two, "virtio-blk-pci,drive=drive1,id=disk1,serial=SD0000000002"));
  CHECK(has(pxe, "tcg"));
  CHECK_FALSE(has(pxe, "pflash"));
  CHECK_FALSE(has(pxe, "kvm"));
  CHECK(has(pxe, "format=qcow2"));
  // What an installer and a BMC driver tell machines apart by.
  CHECK(has(pxe, "4c4c4544-0033-4110-8041-b7c04f314232"));
  CHECK(has(pxe, "manufacturer=Acme,, Inc.,product=A1,serial=SN1"));
  CHECK(has(pxe, "serial=SD0000000001"));
  CHECK(has(pxe, "logfile=/v/serial.log,logappend=on"));
  const auto uefi = qemu_arguments(spec, {}, {.device = BootDevice::Disk, .mode = BootMode::Uefi});
  CHECK(has(uefi, "id=disk0,serial=,bootindex=1"));
  CHECK(has(uefi, "pflash"));
}

TEST_CASE("SATA disks hang on a controller of their own, each with a world-wide name that stays") {
  const VirtualMachineSpec spec{
      .folder = "/v", .disk = "/v/d.raw", .data_disk = "/v/data.raw", .disk_bus = DiskBus::Sata};
  for (const auto mode : {BootMode::Legacy, BootMode::Uefi}) {
    const auto seen = qemu_arguments(spec, kIdentity, {.device = BootDevice::Disk, .mode = mode});
    CHECK(has(seen, "ich9-ahci,id=sata"));
    CHECK(has(seen, "ide-hd,bus=sata.0,drive=drive0,id=disk0,serial=SD0000000001,wwn=0x5"));
    CHECK(has(seen, "ide-hd,bus=sata.1,drive=drive1,id=disk1,serial=SD0000000002,wwn=0x5"));
    CHECK(seen == qemu_arguments(spec, kIdentity, {.device = BootDevice::Disk, .mode = mode}));
    const auto name_of_disk = [&](std::string_view id) {
      const auto at =
          std::find_if(seen.begin(), seen.end(), [&](const auto& a) { return a.find(id) != std::string::npos; });
      return at->substr(at->find("wwn="), 22);
    };
    CHECK(name_of_disk("id=disk0") != name_of_disk("id=disk1"));
  }
}

TEST_CASE("the record's device comes first, then the machine's boot order") {
  using enum BootDevice;
  CHECK(boot_indexes({.device = Disk}) == BootIndexes{.disk = 1, .network = 2, .disc = 3});
  CHECK(boot_indexes({.device = Cd}) == BootIndexes{.disk = 2, .network = 3, .disc = 1});
  CHECK(boot_indexes({.device = Pxe, .order = {Cd, Usb, Pxe, Disk}}) ==
        BootIndexes{.disk = 3, .network = 1, .disc = 2});
  CHECK(boot_indexes({.device = None, .order = {UefiHttp, Pxe, Disk, Cd}}) ==
        BootIndexes{.disk = 2, .network = 1, .disc = 3});
  CHECK(boot_indexes({.device = Setup, .order = {Cd, Disk, Pxe}}) == BootIndexes{.disk = 2, .network = 3, .disc = 1});
}

TEST_CASE("a machine's virtual machine is described in its fleet file") {
  const auto fleet = parse_fleet(R"(format = 1
[[machine]]
name = "v"
[machine.qemu]
folder = "/v"
disk = "/v/disk.raw"
data_disk = "/v/data.raw"
disk_type = "sata"
namespace = "lab"
tap = "tap0"
memory_mib = 64
)",
                                 "f.toml");
  REQUIRE(fleet.has_value());
  CHECK(fleet->machines[0].qemu->memory_mib == 64);
  CHECK(fleet->machines[0].qemu->disk_bus == DiskBus::Sata);
  CHECK_FALSE(parse_fleet("format = 1\n[[machine]]\nname = \"v\"\n[machine.qemu]\nfolder = \"/v\"\n", "f").has_value());
  CHECK_FALSE(
      parse_fleet("format = 1\n[[machine]]\nname = \"v\"\n[machine.qemu]\nfolder = \"/v\"\ndisk = \"a,b\"\n", "f")
          .has_value());
  CHECK_FALSE(parse_fleet("format = 1\n[[machine]]\nname = \"v\"\n[machine.qemu]\nfolder = \"/v\"\ndisk = "
                          "\"d\"\nnamespace = \"../x\"\n",
                          "f")
                  .has_value());
}
