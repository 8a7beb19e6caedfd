#include "base/file/file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <system_error>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/core.h>

namespace nimbus::base {
namespace {

Error system_error(std::string_view doing, const std::string& path) {
  const int number = errno;
  const Code code = number == ENOENT || number == ENOTDIR ? Code::NotFound : Code::Internal;
  return {code, fmt::format("cannot {} {}: {}", doing, path, std::generic_category().message(number))};
}

class Descriptor {
 public:
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const noexcept { return fd_; }
  int close() noexcept {
    const int result = fd_ >= 0 ? ::close(fd_) : 0;
    fd_ = -1;
    return result;
  }

 private:
  int fd_;
};

Result<std::string> read_all(const std::string& path, std::size_t limit, bool only_mine) {
  // O_NONBLOCK: opening a FIFO by mistake must not hang.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return system_error("open", path);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return system_error("examine", path);
  if (!S_ISREG(info.st_mode)) return Error{Code::Invalid, path + " is not a regular file"};
  if (only_mine) {
    if ((info.st_mode & 077U) != 0) {
      return Error{Code::Untrusted, fmt::format("{} may be read by others (mode {:04o}): chmod 0400 {}", path,
                                                info.st_mode & 07777U, path)};
    }
    if (info.st_uid != ::geteuid() && info.st_uid != 0) {
      return Error{Code::Untrusted, path + " belongs to another user"};
    }
  }
  std::string content;
  std::array<char, 65536> buffer{};
  while (true) {
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("read", path);
    if (got == 0) return content;
    content.append(buffer.data(), static_cast<std::size_t>(got));
    if (content.size() > limit) {
      return Error{Code::Invalid, fmt::format("{} is larger than {} bytes", path, limit)};
    }
  }
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// A file that is being written beside the place it is for; gone unless it got there.
class Draft {
 public:
  explicit Draft(std::string path)
      : path_(std::move(path)),
        temporary_(path_ + ".XXXXXX"),
        file_(::mkostemp(temporary_.data(), O_CLOEXEC)),
        opened_(file_.get() >= 0) {}
  ~Draft() {
    if (opened_ && !placed_) ::unlink(temporary_.c_str());
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  Result<> write(std::string_view content, unsigned mode) {
    if (!opened_) return system_error("create a file beside", path_);
    while (!content.empty()) {
      const ssize_t wrote = ::write(file_.get(), content.data(), content.size());
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) return system_error("write", path_);
      content.remove_prefix(static_cast<std::size_t>(wrote));
    }
    if (::fchmod(file_.get(), static_cast<mode_t>(mode)) != 0) return system_error("set the mode of", path_);
    // Only a hint: several drafts are on their way to the disk together, and the first sync finds them there.
    (void)::sync_file_range(file_.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
    return {};
  }

  Result<> sync() {
    if (::fsync(file_.get()) != 0) return system_error("sync", path_);
    return file_.close() == 0 ? Result<>() : system_error("close", path_);
  }

  Result<> place() {
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) return system_error("replace", path_);
    placed_ = true;
    return {};
  }

 private:
  const std::string path_;
  std::string temporary_;
  Descriptor file_;
  const bool opened_;
  bool placed_ = false;
};

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t limit) { return read_all(path, limit, false); }

Result<std::string> read_private_file(const std::string& path, std::size_t limit) {
  return read_all(path, limit, true);
}

Result<> write_file_atomically(const std::string& path, std::string_view content, unsigned mode) {
  const NewFile file{path, content};
  return write_files_atomically({&file, 1}, mode);
}

Result<> write_files_atomically(std::span<const NewFile> files, unsigned mode) {
  std::vector<std::unique_ptr<Draft>> drafts;
  for (const auto& file : files) {
    drafts.push_back(std::make_unique<Draft>(file.path));
    if (auto wrote = drafts.back()->write(file.content, mode); !wrote) return wrote;
  }
  for (auto& draft : drafts) {
    if (auto synced = draft->sync(); !synced) return synced;
  }
  for (auto& draft : drafts) {
    if (auto placed = draft->place(); !placed) return placed;
  }
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto folder = folder_of(files[i].path);
    if (i == 0 || folder != folder_of(files[i - 1].path)) {
      const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      if (opened.get() < 0 || ::fsync(opened.get()) != 0) return system_error("sync the folder of", files[i].path);
    }
  }
  return {};
}

Result<> make_folders(const std::string& path, unsigned mode) {
  for (std::size_t at = 1; at <= path.size(); ++at) {
    if (at != path.size() && path[at] != '/') continue;
    const std::string part = path.substr(0, at);
    if (::mkdir(part.c_str(), static_cast<mode_t>(mode)) == 0) continue;
    const int number = errno;
    struct stat info {};
    if (::stat(part.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) continue;
    errno = number;
    return system_error("make the folder", part);
  }
  return {};
}

Result<std::vector<FolderEntry>> list_folder(const std::string& path) {
  DIR* folder = ::opendir(path.c_str());
  if (folder == nullptr) return system_error("list", path);
  std::vector<FolderEntry> entries;
  errno = 0;
  while (const dirent* item = ::readdir(folder)) {
    FolderEntry entry;
    entry.name = item->d_name;
    if (entry.name == "." || entry.name == "..") continue;
    struct stat info {};
    if (::fstatat(::dirfd(folder), item->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0) {
      using Kind = FolderEntry::Kind;
      entry.kind = S_ISREG(info.st_mode)   ? Kind::File
                   : S_ISDIR(info.st_mode) ? Kind::Folder
                   : S_ISLNK(info.st_mode) ? Kind::Link
                                           : Kind::Other;
      entry.mode = info.st_mode & 07777U;
      entry.size = static_cast<std::size_t>(info.st_size);
    }
    entries.push_back(std::move(entry));
    errno = 0;
  }
  const int number = errno;
  ::closedir(folder);
  errno = number;
  if (number != 0) return system_error("list", path);
  std::ranges::sort(entries, {}, &FolderEntry::name);
  return entries;
}

}  // namespace nimbus::base
