#include "installer/root_file_system.hpp"

#include <fcntl.h>
#include <linux/blkpg.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/file/file.hpp"
#include "base/net/file_descriptor.hpp"

namespace nimbus::installer {
namespace {

constexpr const char* kMountPoint = "/run/nimbus-root";

Error failed(const std::string& what) { return {Code::Internal, what + ": " + std::generic_category().message(errno)}; }

Result<> partition_command(int disk, int command, const Partition& root) {
  blkpg_partition partition{};
  partition.start = root.first_sector * kSector;
  partition.length = (root.last_sector - root.first_sector + 1) * kSector;
  partition.pno = root.number;
  blkpg_ioctl_arg argument{.op = command, .flags = 0, .datalen = sizeof partition, .data = &partition};
  if (::ioctl(disk, BLKPG, &argument) != 0) return failed("cannot tell the kernel of the root partition");
  return {};
}

std::string partition_node(const std::string& disk, int number) {
  const bool digit = !disk.empty() && disk.back() >= '0' && disk.back() <= '9';
  return disk + (digit ? "p" : "") + std::to_string(number);
}

Result<> write_files(const std::vector<SeedFile>& files) {
  const std::string folder = std::string(kMountPoint) + "/" + kSeedFolder;
  if (auto made = base::make_folders(folder, 0755); !made) return made;
  for (const auto& file : files) {
    if (auto written = base::write_file_atomically(folder + "/" + file.name, file.content, 0600); !written) {
      return written;
    }
  }
  return {};
}

Result<> with_mount(const std::string& node, const std::vector<SeedFile>& files) {
  if (auto made = base::make_folders(kMountPoint, 0700); !made) return made;
  if (::mount(node.c_str(), kMountPoint, "ext4", MS_NOATIME | MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) {
    return failed("cannot mount " + node);
  }
  auto written = write_files(files);
  if (::umount(kMountPoint) != 0 && written) return failed("cannot unmount " + node);
  return written;
}

}  // namespace

Result<> plant_seed(const std::string& node, const Partition& root, const std::vector<SeedFile>& files) {
  const base::FileDescriptor disk(::open(node.c_str(), O_RDONLY | O_CLOEXEC));  // NOLINT
  if (!disk) return failed("cannot open " + node);
  // Of a table that was there at the start: the kernel still knows its partitions, and the
  // place is taken. By now the disk has none.
  if (::ioctl(disk.get(), BLKRRPART) != 0) return failed("cannot make the kernel forget the partitions of " + node);
  if (auto added = partition_command(disk.get(), BLKPG_ADD_PARTITION, root); !added) return added;
  auto planted = with_mount(partition_node(node, root.number), files);
  auto removed = partition_command(disk.get(), BLKPG_DEL_PARTITION, root);
  return planted ? std::move(removed) : std::move(planted);
}

}  // namespace nimbus::installer
