#include "installer/device.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/net/file_descriptor.hpp"

namespace nimbus::installer {
namespace {

Error io_error(const std::string& path, std::string_view what, std::int64_t offset, int number) {
  return {Code::Internal, path + ": " + std::string(what) + " at byte " + std::to_string(offset) + ": " +
                              std::generic_category().message(number)};
}

class FileDevice final : public Device {
 public:
  FileDevice(base::FileDescriptor file, std::string path, std::int64_t size, bool block)
      : file_(std::move(file)), path_(std::move(path)), size_(size), block_(block) {
    if (block_) passthrough_ = open_passthrough(path_, file_.get());
  }

  std::int64_t size() const noexcept override { return size_; }
  Passthrough* passthrough() noexcept override { return passthrough_.get(); }

  Result<> write(std::int64_t offset, std::span<const std::uint8_t> data) override {
    while (!data.empty()) {
      const ssize_t put = ::pwrite(file_.get(), data.data(), data.size(), offset);
      if (put < 0 && errno == EINTR) continue;
      if (put <= 0) return io_error(path_, "cannot write", offset, put < 0 ? errno : ENOSPC);
      data = data.subspan(static_cast<std::size_t>(put));
      offset += put;
    }
    return {};
  }

  Result<> read(std::int64_t offset, std::span<std::uint8_t> room) override {
    // What is only in the page cache proves nothing about the medium.
    ::posix_fadvise(file_.get(), offset, static_cast<off_t>(room.size()), POSIX_FADV_DONTNEED);
    while (!room.empty()) {
      const ssize_t got = ::pread(file_.get(), room.data(), room.size(), offset);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return io_error(path_, "cannot read", offset, got < 0 ? errno : EIO);
      room = room.subspan(static_cast<std::size_t>(got));
      offset += got;
    }
    return {};
  }

  Result<> sync() override {
    if (::fsync(file_.get()) != 0) return io_error(path_, "cannot sync", 0, errno);
    return {};
  }

  Result<> discard() override {
    if (!block_) {
      if (::fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, size_) == 0) return {};
    } else {
      std::array<std::uint64_t, 2> range{0, static_cast<std::uint64_t>(size_)};
      if (::ioctl(file_.get(), BLKDISCARD, range.data()) == 0) return {};
    }
    if (errno == EOPNOTSUPP || errno == ENOTTY || errno == EINVAL) {
      return Error{Code::Unsupported, path_ + " cannot discard"};
    }
    return io_error(path_, "cannot discard", 0, errno);
  }

 private:
  base::FileDescriptor file_;
  std::string path_;
  std::int64_t size_;
  bool block_;
  std::unique_ptr<Passthrough> passthrough_;
};

}  // namespace

Result<std::unique_ptr<Device>> open_device(const std::string& path, Access access) {
  // Exclusive only to find out whether somebody uses the disk: while it is held, its own
  // partitions could not be mounted for the seed.
  base::FileDescriptor file;
  if (access == Access::ReadWrite) file.reset(::open(path.c_str(), O_RDWR | O_EXCL | O_CLOEXEC));  // NOLINT
  if (access == Access::Read || file) {
    file.reset(::open(path.c_str(), (access == Access::Read ? O_RDONLY : O_RDWR) | O_CLOEXEC));  // NOLINT
  }
  if (!file) {
    const Code code = errno == ENOENT ? Code::NotFound : errno == EBUSY ? Code::Busy : Code::Internal;
    return Error{code, path + ": cannot open: " + std::generic_category().message(errno)};
  }
  struct stat about {};
  if (::fstat(file.get(), &about) != 0) return io_error(path, "cannot look", 0, errno);
  std::int64_t size = about.st_size;
  const bool block = S_ISBLK(about.st_mode);
  if (block) {
    std::uint64_t bytes = 0;
    if (::ioctl(file.get(), BLKGETSIZE64, &bytes) != 0) return io_error(path, "cannot measure", 0, errno);
    size = static_cast<std::int64_t>(bytes);
  } else if (!S_ISREG(about.st_mode)) {
    return Error{Code::Invalid, path + " is neither a disk nor a file"};
  }
  return std::unique_ptr<Device>(std::make_unique<FileDevice>(std::move(file), path, size, block));
}

}  // namespace nimbus::installer
