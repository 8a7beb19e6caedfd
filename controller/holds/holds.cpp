#include "controller/holds/holds.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/core.h>

#include "base/file/file.hpp"
#include "base/text/text.hpp"
#include "base/time/time.hpp"
#include "base/toml/reader.hpp"
#include "base/toml/toml.hpp"
#include "base/toml/write.hpp"
#include "core/names.hpp"

namespace nimbus::controller {
namespace {

constexpr std::size_t kMostBytes = 16 * 1024;
constexpr std::size_t kLongestReason = 500;
constexpr std::size_t kLongestName = 200;
constexpr unsigned kFolderMode = 0755;
constexpr unsigned kFileMode = 0644;  // a hold is no secret

LocalHold unclear(const std::string& machine, const std::string& why) {
  return {.machine = machine, .reason = "its file cannot be understood: " + why, .by = {}, .since = {}};
}

LocalHold parse(const std::string& machine, const std::string& text) {
  // An empty file, made with touch(1) in a hurry, is a hold as well.
  auto parsed = base::toml::parse(text);
  if (!parsed) return unclear(machine, parsed.error().message);
  std::vector<base::toml::Fault> faults;
  base::toml::TableReader table(*parsed, "", faults);
  LocalHold hold{.machine = machine, .reason = {}, .by = {}, .since = {}};
  hold.reason = base::printable(table.string("reason").value_or("no reason given"), kLongestReason);
  hold.by = base::printable(table.string("by").value_or(""), kLongestName);
  if (const auto since = table.string("since")) hold.since = base::from_rfc3339(*since);
  return hold;
}

/// False only if it certainly is not; a link that leads nowhere is there.
bool is_there(const std::string& path) {
  return ::faccessat(AT_FDCWD, path.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

Result<> sync_folder(const std::string& path) {
  const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = folder >= 0 && ::fsync(folder) == 0;
  const int error = errno;
  if (folder >= 0) ::close(folder);
  if (!synced) return Error{Code::Internal, fmt::format("cannot sync {}: {}", path, std::strerror(error))};
  return {};
}

}  // namespace

std::string LocalHold::text() const { return by.empty() ? reason : fmt::format("{} (by {})", reason, by); }

std::string LocalHolds::path(const std::string& machine) const {
  return machine.empty() ? folder_ + "/all.toml" : folder_ + "/machines/" + machine + ".toml";
}

std::optional<LocalHold> LocalHolds::read(const std::string& machine) const {
  const std::string file = path(machine);
  // The usual answer is "no such file": asked without opening anything.
  if (!is_there(file)) return std::nullopt;
  auto text = base::read_file(file, kMostBytes);
  if (!text) {
    if (text.error().code == Code::NotFound && !is_there(file)) return std::nullopt;  // lifted just now
    return unclear(machine, text.error().message);
  }
  return parse(machine, *text);
}

std::optional<LocalHold> LocalHolds::of(const std::string& machine) const {
  if (auto all = read("")) return all;
  return read(machine);
}

Result<std::vector<LocalHold>> LocalHolds::list() const {
  std::vector<LocalHold> holds;
  if (auto all = read("")) holds.push_back(std::move(*all));
  auto entries = base::list_folder(folder_ + "/machines");
  if (!entries) {
    if (entries.error().code == Code::NotFound) return holds;
    return std::move(entries.error());
  }
  for (const auto& entry : *entries) {
    constexpr std::string_view kEnd = ".toml";
    if (!entry.name.ends_with(kEnd)) continue;
    const std::string machine = entry.name.substr(0, entry.name.size() - kEnd.size());
    if (!is_dns_label(machine)) continue;
    if (auto hold = read(machine)) holds.push_back(std::move(*hold));
  }
  return holds;
}

Result<> LocalHolds::place(const LocalHold& hold) const {
  if (!hold.machine.empty() && !is_dns_label(hold.machine)) {
    return Error{Code::Invalid,
                 fmt::format("\"{}\" is no machine's name", base::printable(hold.machine, kLongestName))};
  }
  if (base::trim(hold.reason).empty()) return Error{Code::Invalid, "a hold needs a reason, for whoever finds it"};
  base::toml::Table table;
  table.set("reason", base::printable(hold.reason, kLongestReason));
  table.set("by", base::printable(hold.by, kLongestName));
  if (hold.since) table.set("since", base::to_rfc3339(*hold.since));
  const std::string folder = hold.machine.empty() ? folder_ : folder_ + "/machines";
  if (auto made = base::make_folders(folder, kFolderMode); !made) return made;
  return base::write_file_atomically(path(hold.machine), base::toml::write(table), kFileMode);
}

Result<> LocalHolds::lift(const std::string& machine) const {
  if (!machine.empty() && !is_dns_label(machine)) return Error{Code::Invalid, "no machine's name"};
  const std::string file = path(machine);
  if (::unlink(file.c_str()) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) {
      return Error{Code::NotFound,
                   machine.empty() ? "there is no local hold of all machines" : "there is no local hold of " + machine};
    }
    return Error{Code::Internal, fmt::format("cannot remove {}: {}", file, std::strerror(errno))};
  }
  return sync_folder(machine.empty() ? folder_ : folder_ + "/machines");
}

}  // namespace nimbus::controller
