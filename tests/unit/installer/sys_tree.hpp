// A machine's /sys as a tree of files, with links as the kernel makes them.
#pragma once

#include <doctest/doctest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "installer/inventory.hpp"

namespace nimbus::installer::test {

struct SysTree {
  SysTree() {
    std::array<char, 32> name{"/tmp/nimbus-sys-XXXXXX"};
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    root = name.data();
  }
  ~SysTree() { std::filesystem::remove_all(root); }
  SysTree(const SysTree&) = delete;
  SysTree& operator=(const SysTree&) = delete;

  void put(const std::string& path, const std::string& text) const {
    const auto full = std::filesystem::path(root + path);
    std::filesystem::create_directories(full.parent_path());
    std::ofstream(full) << text;
  }
  /// As /sys/bus/pci/devices has them: links to where the bus is.
  void pci(const std::string& address, const std::string& kind, const std::string& vendor,
           const std::string& device) const {
    const std::string at = "/sys/devices/pci0000:00/" + address;
    put(at + "/class", "0x" + kind + "\n");
    put(at + "/vendor", "0x" + vendor + "\n");
    put(at + "/device", "0x" + device + "\n");
    std::filesystem::create_directories(root + "/sys/bus/pci/devices");
    std::filesystem::create_directory_symlink("../../../devices/pci0000:00/" + address,
                                              root + "/sys/bus/pci/devices/" + address);
  }
  /// As /sys/block has them: links to where the disk is plugged in.
  std::string disk(const std::string& name, const std::string& way) const {
    const std::string at = "/sys/devices/" + way + "/block/" + name;
    put(at + "/size", "4096\n");
    std::filesystem::create_directories(root + "/sys/block");
    std::filesystem::create_directory_symlink("../..", root + at + "/device");
    std::filesystem::create_directory_symlink("../devices/" + way + "/block/" + name, root + "/sys/block/" + name);
    return at;
  }
  boot::Inventory inventory() const { return inventory_of(read_machine(root), root); }

  std::string root;
};

}  // namespace nimbus::installer::test
