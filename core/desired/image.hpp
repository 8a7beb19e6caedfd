// An operating system that can be installed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/choice.hpp"
#include "core/desired/machine.hpp"

namespace nimbus {

enum class Installer : std::uint8_t { DiskImage, Preseed, Autoinstall, Kickstart, Ignition };
template <>
inline constexpr auto kChoiceNames<Installer> = choice_names("disk-image", "preseed", "autoinstall", "kickstart",
                                                             "ignition");

struct ImageDisk {
  std::vector<std::string> urls;
  std::string sha256;           // of the file as downloaded
  std::int64_t size_bytes = 0;  // of the raw image
  friend bool operator==(const ImageDisk&, const ImageDisk&) = default;
};

struct Image {
  std::string path;  // says whose it is
  std::string name;
  std::string os, version;
  Arch arch = Arch::X86_64;
  Installer installer = Installer::DiskImage;
  std::string default_user;
  std::string template_file;  // below files/; installers other than disk-image
  using Disk = ImageDisk;
  std::optional<Disk> disk;
  struct Download {
    std::string url, sha256, cmdline;
    friend bool operator==(const Download&, const Download&) = default;
  };
  std::optional<Download> kernel, initrd;
  struct Storage {
    std::string mount;
    std::optional<std::int64_t> size_gib;
    std::string fs = "ext4";
    bool lvm = false;
    friend bool operator==(const Storage&, const Storage&) = default;
  };
  std::vector<Storage> storage;
  friend bool operator==(const Image&, const Image&) = default;
};

}  // namespace nimbus
