// The machine as /sys shows it: trees of files, and links as the kernel makes them.
#include "installer/inventory.hpp"

#include <doctest/doctest.h>

#include "sys_tree.hpp"

using namespace nimbus;
using namespace nimbus::installer;

using Tree = test::SysTree;

TEST_CASE("PCI: cards and controllers in order, without bridges and the inside of the platform") {
  const Tree tree;
  tree.pci("0000:3b:00.0", "020000", "8086", "1592");
  tree.pci("0000:02:00.0", "010802", "144D", "A80A");
  tree.pci("0000:00:00.0", "060000", "8086", "2020");
  tree.pci("0000:00:05.0", "088000", "8086", "2024");
  tree.pci("0000:af:00.0", "030200", "10de", "20b5");
  const auto seen = tree.inventory().pci;
  CHECK(seen == std::vector<boot::PciReport>{{"0000:02:00.0", "010802", "144d:a80a"},
                                             {"0000:3b:00.0", "020000", "8086:1592"},
                                             {"0000:af:00.0", "030200", "10de:20b5"}});
}

TEST_CASE("PCI: bounded, and what makes no sense is left out") {
  const Tree tree;
  for (int i = 0; i < 100; ++i) {
    tree.pci("0000:" + std::string(1, static_cast<char>('a' + i / 32)) + "0:" + std::to_string(10 + i % 32) + ".0",
             "020000", "8086", "1592");
  }
  tree.put("/sys/bus/pci/devices/0000:00:01.0/class", "network\n");
  tree.put("/sys/bus/pci/devices/0000:00:02.0/vendor", "0x8086\n");
  const auto seen = tree.inventory().pci;
  CHECK(seen.size() == 64);
  for (const auto& one : seen) CHECK(one.kind == "020000");
}

TEST_CASE("TPM: what the kernel's driver says, else the firmware's table") {
  {
    const Tree tree;
    CHECK(tree.inventory().tpm.empty());
    tree.put("/sys/class/tpm/tpm0/tpm_version_major", "2\n");
    CHECK(tree.inventory().tpm == "2.0");
    tree.put("/sys/class/tpm/tpm0/tpm_version_major", "1\n");
    CHECK(tree.inventory().tpm == "1.2");
  }
  const Tree tree;
  tree.put("/sys/firmware/acpi/tables/TPM2", "");
  CHECK(tree.inventory().tpm == "2.0");
  const Tree old;
  old.put("/sys/firmware/acpi/tables/TCPA", "");
  CHECK(old.inventory().tpm == "1.2");
}

TEST_CASE("a report carries all of it, and a hostile one is refused") {
  const Tree tree;
  tree.pci("0000:3b:00.0", "020000", "8086", "1592");
  tree.put("/sys/firmware/acpi/tables/TPM2", "");
  boot::Report report{.run = "r", .nonce = "n", .stage = boot::Stage::CheckedIn, .inventory = tree.inventory()};
  report.inventory.neighbours = {
      {.nic = "52:54:00:12:34:17", .chassis = "00:1c:73:0a:0b:0c", .port = "Ethernet17", .system = "leaf-b2"}};
  const auto again = boot::parse_report(boot::to_json(report));
  REQUIRE(again);
  CHECK(*again == report);
  report.inventory.neighbours.resize(300);
  CHECK_FALSE(boot::parse_report(boot::to_json(report)));
  report.inventory.neighbours = {{.nic = std::string(5000, 'x'), .chassis = {}, .port = {}, .system = {}}};
  CHECK_FALSE(boot::parse_report(boot::to_json(report)));
}

TEST_CASE("disks: what is broken is there, what is loose is none of the machine's") {
  const Tree tree;
  const auto dead = tree.disk("sda", "pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0");
  tree.put(dead + "/size", "0\n");
  const auto stick = tree.disk("sdb", "pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host6/target6:0:0/6:0:0:0");
  tree.put(stick + "/removable", "1\n");
  const auto hot = tree.disk("sdc", "pci0000:00/0000:00:1f.2/ata2/host1/target1:0:0/1:0:0:0");
  tree.put(hot + "/removable", "1\n");
  const auto machine = read_machine(tree.root);
  REQUIRE(machine.disks.size() == 3);
  CHECK(to_erase(machine.disks).left_out.size() == 2);
  CHECK(to_erase(machine.disks).disks.empty());
  CHECK(tree.inventory().disks.size() == 2);
}
