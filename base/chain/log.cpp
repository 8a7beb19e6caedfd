// The writing end of a chain.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/core.h>

#include "base/chain/chain.hpp"
#include "base/chain/line.hpp"
#include "base/file/file.hpp"

namespace nimbus::base {
namespace {

using chain::file_name;
using chain::file_names;

Error disk_error(const char* doing, const std::string& path) {
  return {Code::Internal, fmt::format("cannot {} {}: {}", doing, path, std::strerror(errno))};
}

Result<> sync_folder(const std::string& path) {
  const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return disk_error("open", path);
  const bool synced = ::fsync(folder) == 0;
  ::close(folder);
  if (!synced) return disk_error("sync", path);
  return {};
}

}  // namespace

Result<std::unique_ptr<ChainLog>> ChainLog::open(const ChainOptions& options) {
  constexpr unsigned kOwnerOnly = 0700;
  if (auto made = make_folders(options.folder, kOwnerOnly); !made) return std::move(made.error());
  std::unique_ptr<ChainLog> log(new ChainLog(options));
  if (auto resumed = log->resume(); !resumed)
    return std::move(resumed.error()).with("while opening the chain in " + options.folder);
  return log;
}

ChainLog::~ChainLog() {
  if (file_ >= 0) ::close(file_);
}

ChainHead ChainLog::head() const {
  const std::lock_guard lock(mutex_);
  return head_;
}

Result<> ChainLog::open_file(const std::string& name, bool fresh) {
  constexpr unsigned kMode = 0640;
  const std::string path = options_.folder + "/" + name;
  const int file =
      ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | (fresh ? O_CREAT | O_EXCL : 0), kMode);
  if (file < 0) return disk_error("open", path);
  if (file_ >= 0) ::close(file_);
  file_ = file;
  struct stat info {};
  if (::fstat(file, &info) != 0) return disk_error("look at", path);
  size_ = static_cast<std::size_t>(info.st_size);
  return fresh ? sync_folder(options_.folder) : Result<>();
}

/// Finds the head in the newest file, and cuts off what a crash left unfinished.
Result<> ChainLog::resume() {
  auto names = file_names(options_.folder);
  if (!names) return std::move(names.error());
  if (names->empty()) return open_file(file_name(1), true);
  const std::string& name = names->back();
  auto text = read_file(options_.folder + "/" + name, chain::kMostFileBytes);
  if (!text) return std::move(text.error());
  const auto end = text->rfind('\n');
  const std::size_t whole = end == std::string::npos ? 0 : end + 1;
  if (auto opened = open_file(name, false); !opened) return opened;
  const std::size_t torn = text->size() - whole;
  if (torn > 0 && (::ftruncate(file_, static_cast<off_t>(whole)) != 0 || ::fsync(file_) != 0)) {
    return disk_error("cut", name);
  }
  size_ = whole;
  if (whole == 0) {
    // The crash came before the first line of a new file was whole: go on in the file
    // before, which is full and will be followed by a new one at once.
    if (names->size() == 1) return {};
    if (::unlink((options_.folder + "/" + name).c_str()) != 0) return disk_error("remove", name);
    return resume();
  }
  const std::string_view lines = std::string_view(*text).substr(0, whole - 1);  // without the last line end
  const auto start = lines.rfind('\n');
  std::string why;
  const auto line = chain::parse_line(start == std::string_view::npos ? lines : lines.substr(start + 1), why);
  if (!line) return Error{Code::Corrupt, fmt::format("the last line of {}: {}", name, why)};
  head_ = line->head;
  if (torn == 0) return {};
  const auto repaired = append_locked(Json::object({{"type", "repair"}, {"torn_bytes", torn}}));
  if (!repaired) return repaired.error();
  return {};
}

Result<ChainHead> ChainLog::append(const Json& members) {
  const std::lock_guard lock(mutex_);
  if (broken_) return Error{Code::Internal, "an earlier line could not be written, and not be taken back either"};
  if (size_ >= options_.file_bytes) {
    if (auto rotated = rotate(); !rotated) return std::move(rotated.error());
  }
  return append_locked(members);
}

Result<ChainHead> ChainLog::append_locked(const Json& members) {
  for (const char* reserved : {"seq", "prev", "hash"}) {
    if (members.find(reserved) != nullptr) return Error{Code::Invalid, std::string(reserved) + " is the chain's own"};
  }
  auto line = chain::make_line(head_, members);
  if (line.text.size() > chain::kMostLineBytes) return Error{Code::Invalid, "the line is too long"};
  if (auto written = write_line(line.text + "\n"); !written) return std::move(written.error());
  head_ = std::move(line.head);
  return head_;
}

Result<> ChainLog::write_line(const std::string& line) {
  std::size_t done = 0;
  while (done < line.size()) {
    const ssize_t wrote = ::write(file_, line.data() + done, line.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) break;
    done += static_cast<std::size_t>(wrote);
  }
  if (done == line.size() && ::fdatasync(file_) == 0) {
    size_ += line.size();
    return {};
  }
  auto error = disk_error("write to", options_.folder);
  // Half a line must not stay: the next one would be glued to it.
  broken_ = ::ftruncate(file_, static_cast<off_t>(size_)) != 0 || ::fdatasync(file_) != 0;
  return error;
}

Result<> ChainLog::rotate() {
  auto names = file_names(options_.folder);
  if (!names) return std::move(names.error());
  const std::size_t keep = options_.files > 1 ? options_.files - 1 : 1;  // besides the new one
  const std::size_t remove = names->size() > keep ? names->size() - keep : 0;
  const std::string oldest = remove < names->size() ? (*names)[remove] : file_name(head_.seq + 1);
  const std::size_t before = size_;
  const int file = std::exchange(file_, -1);
  if (auto opened = open_file(file_name(head_.seq + 1), true); !opened) {
    file_ = file;
    size_ = before;
    return opened;
  }
  ::close(file);
  auto begun = append_locked(Json::object({{"type", "rotate"}, {"oldest", oldest}}));
  if (!begun) {
    broken_ = true;
    return std::move(begun.error());
  }
  for (std::size_t i = 0; i < remove; ++i) {
    const std::string path = options_.folder + "/" + (*names)[i];
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return disk_error("remove", path);
  }
  return {};
}

}  // namespace nimbus::base
