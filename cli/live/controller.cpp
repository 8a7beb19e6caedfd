// nimbusctl controller backup, controller restore: what a controller cannot get back from
// Git: its keys, secrets, trust roots, local holds and configuration. A file of JSON
// lines, one for each file, the last one with a hash of all before it.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <set>

#include <fmt/core.h>

#include "base/crypto/crypto.hpp"
#include "base/file/file.hpp"
#include "base/text/text.hpp"
#include "base/time/time.hpp"
#include "base/toml/toml.hpp"
#include "cli/live/commands.hpp"

namespace nimbus::cli {
namespace {

using base::Json;
namespace toml = base::toml;

constexpr std::size_t kMostFileBytes = std::size_t{4} << 20U;
constexpr std::size_t kMostBackupBytes = std::size_t{256} << 20U;
constexpr std::size_t kMostFiles = 100'000;
constexpr unsigned kOwnerOnly = 0600;

struct Saved {
  std::string path;
  unsigned mode = 0;
  std::int64_t user = 0;
  std::int64_t group = 0;
  std::string content;
  friend bool operator==(const Saved&, const Saved&) = default;
};

/// Every absolute path that the configuration names, except where data may be lost.
void collect_paths(const toml::Table& table, const std::string& where, std::set<std::string>& paths) {
  static const std::set<std::string> kNot = {"data",           "registry.url", "http.listen",
                                             "control.socket", "audit.folder", "install.boot"};
  for (const auto& member : table.members()) {
    const std::string name = where.empty() ? member.key : where + "." + member.key;
    if (kNot.contains(name)) continue;
    const auto add = [&](const toml::Value& value) {
      if (const auto* text = value.string(); text != nullptr && text->starts_with("/")) paths.insert(*text);
      if (value.table() != nullptr) collect_paths(*value.table(), name, paths);
    };
    add(member.value);
    if (const auto* items = member.value.array()) std::ranges::for_each(*items, add);
  }
}

class Collector {
 public:
  Result<std::vector<Saved>> run(const std::set<std::string>& paths) {
    for (const auto& path : paths) {
      if (auto added = add(path); !added) return std::move(added.error());
    }
    return std::move(files_);
  }

 private:
  Result<> add(const std::string& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return {};  // named, and not there yet: holds, for instance
    if (S_ISDIR(info.st_mode)) return folder(path);
    if (!S_ISREG(info.st_mode)) return {};
    if (files_.size() == kMostFiles) return Error{Code::Invalid, "more files than a controller has"};
    auto content = base::read_file(path, kMostFileBytes);
    if (!content) return std::move(content.error());
    files_.push_back({path, info.st_mode & 07777U, info.st_uid, info.st_gid, std::move(*content)});
    return {};
  }
  Result<> folder(const std::string& path) {
    auto entries = base::list_folder(path);
    if (!entries) return std::move(entries.error());
    for (const auto& entry : *entries) {
      if (auto added = add(path + "/" + entry.name); !added) return added;
    }
    return {};
  }
  std::vector<Saved> files_;
};

Result<std::vector<Saved>> collect(const std::string& configuration) {
  auto text = base::read_file(configuration, toml::kMaxText);
  if (!text) return std::move(text.error());
  const auto table = toml::parse(*text);
  if (!table) return Error{Code::Invalid, configuration + ": " + table.error().message};
  // A configuration of systemd's credentials or a relative path would not be found again.
  std::set<std::string> paths = {configuration, "/etc/nimbus/holds"};
  collect_paths(*table, "", paths);
  if (const auto* control = table->find("control");
      control != nullptr && control->table() != nullptr && control->table()->find("holds") != nullptr) {
    paths.erase("/etc/nimbus/holds");
    collect_paths(*table, "", paths);
  }
  return Collector().run(paths);
}

std::string to_backup(const std::vector<Saved>& files, WallTime now) {
  std::string out =
      Json::object({{"format", 1}, {"created", base::to_rfc3339(now)}, {"files", files.size()}}).text() + "\n";
  for (const auto& file : files) {
    out += Json::object({{"path", file.path},
                         {"mode", file.mode},
                         {"user", file.user},
                         {"group", file.group},
                         {"sha256", base::sha256_hex(file.content)},
                         {"hex", base::to_hex(base::as_bytes(file.content))}})
               .text() +
           "\n";
  }
  return out + Json::object({{"sha256", base::sha256_hex(out)}}).text() + "\n";
}

bool is_plain_path(const std::string& path) {
  return path.starts_with("/") && path.find("/../") == std::string::npos && !path.ends_with("/..") &&
         path.find('\0') == std::string::npos;
}

Result<Saved> parse_file(std::string_view line) {
  const Error bad{Code::Corrupt, "the backup is damaged"};
  const auto json = base::parse_json(line, {.bytes = base::kMostJsonBytes, .depth = 4, .values = 100});
  if (!json) return bad;
  const auto path = (*json)["path"].as_string();
  const auto bytes = base::from_hex((*json)["hex"].as_string().value_or("x"));
  const auto mode = (*json)["mode"].as_int();
  if (!path || !is_plain_path(std::string(*path)) || !bytes || !mode || *mode < 0 || *mode > 07777) return bad;
  std::string content(bytes->begin(), bytes->end());
  if (base::sha256_hex(content) != (*json)["sha256"].as_string()) return bad;
  return Saved{std::string(*path), static_cast<unsigned>(*mode), (*json)["user"].as_int().value_or(-1),
               (*json)["group"].as_int().value_or(-1), std::move(content)};
}

Result<std::vector<Saved>> read_backup(const std::string& path) {
  const Error bad{Code::Corrupt, path + " is damaged or cut off: nothing was restored from it"};
  auto text = base::read_file(path, kMostBackupBytes);
  if (!text) return std::move(text.error());
  const auto end = text->size() < 2 ? std::string::npos : text->rfind('\n', text->size() - 2);
  if (end == std::string::npos || !text->ends_with('\n')) return bad;
  const auto tail = base::parse_json(std::string_view(*text).substr(end + 1));
  std::string_view rest = std::string_view(*text).substr(0, end + 1);
  if (!tail || (*tail)["sha256"].as_string() != base::sha256_hex(rest)) return bad;
  const auto next_line = [&] {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size() + 1);
    return line;
  };
  const auto head = base::parse_json(next_line());
  if (!head || (*head)["format"].as_int() != 1) return bad;
  std::vector<Saved> files;
  while (!rest.empty()) {
    auto file = parse_file(next_line());
    if (!file) return bad;
    files.push_back(std::move(*file));
  }
  if ((*head)["files"].as_int() != static_cast<std::int64_t>(files.size())) return bad;
  return files;
}

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

Result<> write_back(const Saved& file, const std::string& path) {
  constexpr unsigned kFolder = 0755;
  if (auto made = base::make_folders(parent_of(path), kFolder); !made) return made;
  if (auto written = base::write_file_atomically(path, file.content, file.mode); !written) return written;
  // Only the superuser gives files away; for others they are theirs.
  if (::geteuid() == 0 && file.user >= 0 && file.group >= 0 &&
      ::chown(path.c_str(), static_cast<uid_t>(file.user), static_cast<gid_t>(file.group)) != 0) {
    return Error{Code::Internal, "cannot give " + path + " to its owner"};
  }
  return {};
}

/// Files of the backup that are missing or other on disk.
std::vector<const Saved*> differing(const std::vector<Saved>& files, const std::string& root, bool missing_too) {
  std::vector<const Saved*> out;
  for (const auto& file : files) {
    const auto there = base::read_file(root + file.path, kMostFileBytes);
    const bool missing = !there && there.error().code == Code::NotFound;
    if (missing ? missing_too : !there || *there != file.content) out.push_back(&file);
  }
  return out;
}

Exit verify(Context& context, const std::vector<Saved>& files, const std::string& root) {
  const auto other = differing(files, root, true);
  for (const auto* file : other) context.console.out(base::printable(root + file->path) + "\n");
  context.console.say(fmt::format("whole: {} files, {} of them missing or other on disk", files.size(), other.size()));
  return other.empty() ? Exit::Ok : Exit::Changes;
}

}  // namespace

Exit run_controller_backup(Context& context) {
  const auto files = collect(context.args.text("config"));
  if (!files) return fail(context, files.error());
  const std::string target = context.args.text("FILE");
  if (auto written = base::write_file_atomically(target, to_backup(*files, context.clock.wall()), kOwnerOnly);
      !written) {
    return fail(context, written.error());
  }
  if (context.args.flag("verify")) {
    const auto read = read_backup(target);
    if (!read) return fail(context, read.error());
    if (*read != *files) return fail(context, {Code::Corrupt, target + " does not hold what was to be saved"});
  }
  context.console.say(
      fmt::format("{}: {} files; it holds secrets and keys: keep it as safe as them", target, files->size()));
  return Exit::Ok;
}

Exit run_controller_restore(Context& context) {
  const auto files = read_backup(context.args.text("FILE"));
  if (!files) return fail(context, files.error());
  const std::string root = context.args.text("root") == "/" ? std::string() : context.args.text("root");
  if (context.args.flag("verify")) return verify(context, *files, root);
  if (!context.args.flag("overwrite")) {
    const auto in_the_way = differing(*files, root, false);
    if (!in_the_way.empty()) {
      return fail(context, {Code::Conflict, fmt::format("{} exists and is other ({} files are): nothing was restored; "
                                                        "--overwrite replaces them",
                                                        root + in_the_way.front()->path, in_the_way.size())});
    }
  }
  for (const auto& file : *files) {
    if (auto written = write_back(file, root + file.path); !written) return fail(context, written.error());
  }
  context.console.say(fmt::format("{} files restored", files->size()));
  return Exit::Ok;
}

}  // namespace nimbus::cli
