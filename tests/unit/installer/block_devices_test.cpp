// Disks as Linux 6.1 shows them.
#include "installer/block_devices.hpp"

#include <map>
#include <set>

#include "sys_tree.hpp"

using namespace nimbus;
using namespace nimbus::installer;
using Tree = test::SysTree;

namespace {

constexpr const char* kAhci = "pci0000:00/0000:00:1f.2";

/// A SATA disk on that port.
std::string sata(const Tree& tree, const std::string& name, int port, const std::string& address = "") {
  const std::string number = std::to_string(port), host = std::to_string(port - 1);
  const std::string at = std::string(kAhci) + "/ata" + number;
  tree.put("/sys/devices/" + at + "/ata_port/ata" + number + "/port_no", number + "\n");
  const std::string place = address.empty() ? host + ":0:0:0" : address;
  return tree.disk(name, at + "/host" + host + "/target" + place.substr(0, 5) + "/" + place);
}

/// As SPC-5 has it, 7.7.20.
std::string serial_page(const std::string& text) {
  return std::string("\x00\x80\x00", 3) + static_cast<char>(text.size()) + text;
}

DiskFacts only_disk(const Tree& tree) {
  const auto disks = read_disks(tree.root);
  REQUIRE(disks.size() == 1);
  return disks.front();
}

std::map<std::string, std::string> paths(const Tree& tree) {
  std::map<std::string, std::string> out;
  for (const auto& disk : read_disks(tree.root)) out[disk.node.substr(disk.node.rfind('/') + 1)] = disk.by_path;
  return out;
}

bool all_ids_differ(const std::vector<DiskFacts>& disks) {
  std::set<std::string> ids;
  for (const auto& disk : disks) ids.insert(disk.id);
  return ids.size() == disks.size();
}

}  // namespace

TEST_CASE("a SATA disk's serial number is in its VPD page") {
  const Tree tree;
  const auto at = sata(tree, "sda", 1);
  tree.put(at + "/device/vpd_pg80", serial_page("            S4YXNF0M"));
  CHECK(only_disk(tree).serial == "S4YXNF0M");
  CHECK(only_disk(tree).id == "serial.S4YXNF0M");
  CHECK(matches({.serial = "S4YXNF0M"}, only_disk(tree)));

  const std::string good = serial_page("S4YXNF0M");
  for (const auto& page : {std::string(), good.substr(0, 4), std::string("\0\x83\0\x08S4YXNF0M", 12)}) {
    tree.put(at + "/device/vpd_pg80", page);
    CHECK(only_disk(tree).serial.empty());
  }
  // A length that the page does not have is no way out of it; bytes that are no text are no trouble.
  tree.put(at + "/device/vpd_pg80", std::string("\0\x80\xFF\xFFS4YXNF0M\0\0garbage", 20));
  CHECK(only_disk(tree).serial == "S4YXNF0M");
  tree.put(at + "/device/vpd_pg80", serial_page("S4\nYX"));
  CHECK(only_disk(tree).serial == "S4\\nYX");
}

TEST_CASE("world-wide names match in every way of writing them") {
  struct Row {
    const char* seen;
    const char* hint;
    bool same;
  };
  for (const auto& row : {Row{"naa.5000c500a0b1c2d3", "0x5000c500a0b1c2d3", true},
                          {"naa.5000c500a0b1c2d3", "naa.5000C500A0B1C2D3", true},
                          {"naa.5000c500a0b1c2d3", "5000c500a0b1c2d3", true},
                          {"naa.5000c500a0b1c2d3", "0x5000c500a0b1c2d4", false},
                          {"eui.0025385b71b0a1c2", "eui.0025385B71B0A1C2", true},
                          {"eui.0025385b71b0a1c2", "0x0025385b71b0a1c2", true},
                          {"t10.ATA     QEMU HARDDISK  QM1", "0x5000c500a0b1c2d3", false},
                          {"naa.5000c500a0b1c2d3", "0x", false},
                          {"", "0x", false}}) {
    CAPTURE(row.seen);
    CAPTURE(row.hint);
    const Tree tree;
    tree.put(sata(tree, "sda", 1) + "/device/wwid", std::string(row.seen) + "\n");
    CHECK(matches({.wwn = row.hint}, only_disk(tree)) == row.same);
  }
}

TEST_CASE("what a disk's id is made of: its world-wide name, else its serial number, else its place") {
  const Tree tree;
  const auto at = sata(tree, "sda", 3);
  CHECK(only_disk(tree).id == "path.pci-0000:00:1f.2-ata-3");
  tree.put(at + "/device/wwid", "t10.ATA     QEMU HARDDISK                           QM00001\n");
  tree.put(at + "/device/vpd_pg80", serial_page("QM00001"));
  CHECK(only_disk(tree).id == "serial.QM00001");
  tree.put(at + "/device/wwid", "naa.5000c500a0b1c2d3\n");
  CHECK(only_disk(tree).id == "wwn.naa.5000c500a0b1c2d3");
}

TEST_CASE("places as udev names them, and never one for two disks") {
  const Tree tree;
  sata(tree, "sda", 1);
  sata(tree, "sdb", 2);
  sata(tree, "sdc", 3, "2:1:0:0");  // behind a port multiplier
  sata(tree, "sdd", 4, "3:0:1:0");  // the second on its cable
  tree.disk("sde", "pci0000:00/0000:00:14.0/usb2/2-1/2-1.4/2-1.4:1.0/host9/target9:0:0/9:0:0:0");
  // A RAID controller whose hosts are counted on from others'.
  tree.disk("sdf", "pci0000:00/0000:00:01.0/0000:01:00.0/host7/target7:2:0/7:2:0:0");
  tree.disk("sdg", "pci0000:00/0000:00:01.0/0000:01:00.0/host8/target8:2:1/8:2:1:0");
  tree.disk("vda", "pci0000:00/0000:00:04.0/virtio1");
  tree.put(tree.disk("nvme0n1", "pci0000:00/0000:00:05.0/nvme/nvme0") + "/nsid", "1\n");
  tree.put(tree.disk("nvme0n2", "pci0000:00/0000:00:05.0/nvme/nvme0") + "/nsid", "2\n");
  tree.put(tree.disk("nvme1n1", "pci0000:5d/0000:5d:05.5/pci10000:00/10000:01:00.0/nvme/nvme1") + "/nsid", "1\n");
  CHECK(paths(tree) == std::map<std::string, std::string>{{"sda", "pci-0000:00:1f.2-ata-1"},
                                                          {"sdb", "pci-0000:00:1f.2-ata-2"},
                                                          {"sdc", "pci-0000:00:1f.2-ata-3.1.0"},
                                                          {"sdd", "pci-0000:00:1f.2-ata-4.1"},
                                                          {"sde", "pci-0000:00:14.0-usb-0:1.4:1.0-scsi-0:0:0:0"},
                                                          {"sdf", "pci-0000:01:00.0-scsi-0:2:0:0"},
                                                          {"sdg", "pci-0000:01:00.0-scsi-1:2:1:0"},
                                                          {"vda", "pci-0000:00:04.0"},
                                                          {"nvme0n1", "pci-0000:00:05.0-nvme-1"},
                                                          {"nvme0n2", "pci-0000:00:05.0-nvme-2"},
                                                          {"nvme1n1", "pci-10000:01:00.0-nvme-1"}});
  CHECK(all_ids_differ(read_disks(tree.root)));
  for (const auto& disk : read_disks(tree.root)) CHECK_FALSE(disk.alike);
}

TEST_CASE("a place may be declared as either of udev's names") {
  DiskFacts disk;
  disk.by_path = "pci-0000:00:1f.2-ata-1";
  CHECK(matches({.by_path = "pci-0000:00:1f.2-ata-1"}, disk));
  CHECK(matches({.by_path = "pci-0000:00:1f.2-ata-1.0"}, disk));
  CHECK_FALSE(matches({.by_path = "pci-0000:00:1f.2-ata-1.1"}, disk));
  CHECK_FALSE(matches({.by_path = "pci-0000:00:1f.2-ata-10"}, disk));
  CHECK_FALSE(matches({.by_path = "pci-0000:00:1f.2"}, disk));
  disk.by_path = "pci-0000:00:1f.2-ata-3.1.0";
  CHECK(matches({.by_path = "pci-0000:00:1f.2-ata-3.1.0"}, disk));
  CHECK_FALSE(matches({.by_path = "pci-0000:00:1f.2-ata-3.1"}, disk));
}

TEST_CASE("disks with one name have two ids, and one that cannot be told from another is not written") {
  const Tree tree;
  for (const auto* name : {"sda", "sdb"}) {
    tree.put(sata(tree, name, name[2] - 'a' + 1) + "/device/wwid", "naa.5000c500a0b1c2d3\n");
  }
  auto disks = read_disks(tree.root);
  REQUIRE(disks.size() == 2);
  CHECK(disks[0].id == "wwn.naa.5000c500a0b1c2d3@pci-0000:00:1f.2-ata-1");
  CHECK(disks[1].id == "wwn.naa.5000c500a0b1c2d3@pci-0000:00:1f.2-ata-2");
  CHECK(choose_root_disk({.by_path = "pci-0000:00:1f.2-ata-2"}, "", disks, 1)->id == disks[1].id);

  const Tree bare;
  bare.disk("xda", "platform/odd");
  bare.put(bare.disk("xdb", "platform/odd") + "/size", "40000000\n");
  disks = read_disks(bare.root);
  CHECK(all_ids_differ(disks));
  CHECK(choose_root_disk({.min_size_gib = 1}, "", disks, 1).error().code == Code::Conflict);
}

TEST_CASE("NVMe multipath: the ways to a disk are no disks of their own") {
  const Tree tree;
  const auto head = tree.disk("nvme0n1", "virtual/nvme-subsystem/nvme-subsys0");
  tree.put(head + "/wwid", "eui.0025385b71b0a1c2\n");
  tree.put(head + "/hidden", "0\n");
  const auto way = tree.disk("nvme0c0n1", "pci0000:00/0000:00:05.0/nvme/nvme0");
  tree.put(way + "/wwid", "eui.0025385b71b0a1c2\n");
  tree.put(way + "/nsid", "1\n");
  tree.put(way + "/hidden", "1\n");
  auto disk = only_disk(tree);
  CHECK(disk.node == tree.root + "/dev/nvme0n1");
  CHECK(disk.id == "wwn.eui.0025385b71b0a1c2");
  CHECK(disk.by_path == "pci-0000:00:05.0-nvme-1");
  // A second controller: it has no single place.
  tree.put(tree.disk("nvme0c1n1", "pci0000:00/0000:00:06.0/nvme/nvme1") + "/hidden", "1\n");
  disk = only_disk(tree);
  CHECK(disk.by_path.empty());
  CHECK(disk.id == "wwn.eui.0025385b71b0a1c2");
}

TEST_CASE("a disk with blocks of 4096 bytes is no place for an image, and says why") {
  const Tree tree;
  const auto at = sata(tree, "sda", 1);
  tree.put(at + "/queue/logical_block_size", "512\n");
  CHECK(choose_root_disk({}, "", read_disks(tree.root), 1));
  tree.put(at + "/queue/logical_block_size", "4096\n");
  const auto chosen = choose_root_disk({}, "", read_disks(tree.root), 1);
  REQUIRE_FALSE(chosen);
  CHECK(chosen.error().code == Code::Invalid);
  CHECK(chosen.error().message.find("has blocks of 4096 bytes") != std::string::npos);
  // It is erased as any other.
  CHECK(to_erase(read_disks(tree.root)).disks.size() == 1);
  // And does not stand in another one's way.
  tree.put(sata(tree, "sdb", 2) + "/size", "40000000\n");
  CHECK(choose_root_disk({.min_size_gib = 1}, "", read_disks(tree.root), 1));
}

TEST_CASE("eMMC: where the board boots from and keeps keys is firmware; all else is a disk") {
  const Tree tree;
  const std::string way = "pci0000:00/0000:00:1a.0/mmc_host/mmc0/mmc0:0001";
  for (const auto* name : {"mmcblk0", "mmcblk0boot0", "mmcblk0boot1", "mmcblk0rpmb", "mmcblk0gp0", "mmcblk10boot0"})
    tree.put(tree.disk(name, way) + "/ro", std::string(name).find("boot") == std::string::npos ? "0\n" : "1\n");
  std::set<std::string> names;
  for (const auto& disk : read_disks(tree.root)) names.insert(disk.node.substr(disk.node.rfind('/') + 1));
  CHECK(names == std::set<std::string>{"mmcblk0", "mmcblk0gp0"});
}
