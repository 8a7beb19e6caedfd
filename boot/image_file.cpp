#include "boot/image_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <functional>
#include <string_view>
#include <system_error>

namespace nimbus::boot {
namespace {

Error system_error(std::string_view doing, const std::string& path) {
  const int number = errno;
  const Code code = number == ENOENT ? Code::NotFound : Code::Internal;
  return {code, "cannot " + std::string(doing) + " " + path + ": " + std::generic_category().message(number)};
}

/// All of a file, piece by piece.
Result<std::int64_t> read_pieces(int file, const std::string& path, const std::function<void(std::string_view)>& take) {
  std::array<char, 65536> piece{};
  std::int64_t size = 0;
  while (true) {
    const ssize_t got = ::read(file, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("read", path);
    if (got == 0) return size;
    take({piece.data(), static_cast<std::size_t>(got)});
    size += got;
  }
}

}  // namespace

Result<ImageFile> ImageFile::open(const std::string& path) {
  const std::string part = path + kPartEnding;
  base::FileDescriptor file(::open(part.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return system_error("open", part);
  ImageFile image(path, std::move(file));
  auto size = read_pieces(image.file_.get(), part, [&](std::string_view piece) { image.hash_->update(piece); });
  if (!size) return std::move(size.error());
  image.size_ = *size;
  return image;
}

Result<> ImageFile::append(std::span<const std::uint8_t> bytes) {
  std::string_view left(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  hash_->update(left);
  while (!left.empty()) {
    const ssize_t wrote = ::pwrite(file_.get(), left.data(), left.size(), size_);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return system_error("write", path_ + kPartEnding);
    size_ += wrote;
    left.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return {};
}

Result<> ImageFile::begin_anew() {
  if (::ftruncate(file_.get(), 0) != 0) return system_error("empty", path_ + kPartEnding);
  hash_ = std::make_unique<base::Sha256>();
  size_ = 0;
  return {};
}

Result<> ImageFile::place() {
  const std::string part = path_ + kPartEnding;
  if (::fsync(file_.get()) != 0) return system_error("sync", part);
  if (::rename(part.c_str(), path_.c_str()) != 0) return system_error("rename", part);
  const std::string folder = path_.substr(0, path_.rfind('/'));
  const base::FileDescriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened || ::fsync(opened.get()) != 0) return system_error("sync", folder);
  return {};
}

Result<std::string> digest_of_file(const std::string& path) {
  const base::FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return system_error("open", path);
  base::Sha256 hash;
  auto size = read_pieces(file.get(), path, [&](std::string_view piece) { hash.update(piece); });
  if (!size) return std::move(size.error());
  return hash.hex();
}

}  // namespace nimbus::boot
