// Reading what a probe answered. The host may be hostile: what does not fit what was asked
// for makes the whole answer Corrupt, and nothing is taken from it.
#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>

#include "reconcilers/configure/needs.hpp"
#include "reconcilers/configure/probe.hpp"
#include "reconcilers/configure/read_lines.hpp"
#include "reconcilers/configure/shell.hpp"

namespace nimbus::reconcilers::configure {
namespace {

using host::Facts;
using Fields = std::vector<std::string_view>;

/// False: it was told before.
bool text(std::string_view value, std::size_t most, std::string& out) {
  if (!out.empty()) return false;
  out = printable(value, most);
  return true;
}

constexpr std::size_t kMostText = 4096;  // a path
constexpr std::size_t kMostShort = 200;  // names, versions, states
constexpr std::size_t kMostFileSystems = 64, kMostFailedUnits = 64, kMostOwned = 1000, kMostKeys = 1000;

class Reader {
 public:
  Reader(const host::Configuration& wanted, Facts& facts) : needs_(needs_of(wanted)), facts_(facts) {
    for (const auto& key : needs_.sysctls) sysctls_["/proc/sys/" + sysctl_path(key)] = key;
  }

  /// False: the line makes no sense.
  bool take(std::string_view line) {
    if (section_ != Section::None) return take_raw(line);
    if (line.empty()) return true;
    if (is_digest_line(line)) return digest(line);
    const auto fields = split(line, '\t');
    static const std::map<std::string_view, bool (Reader::*)(const Fields&)> kinds = {
        {"clock", &Reader::clock},       {"host", &Reader::host},       {"os", &Reader::os},
        {"kernel", &Reader::kernel},     {"load", &Reader::load},       {"uptime", &Reader::uptime},
        {"memory", &Reader::memory},     {"reboot", &Reader::reboot},   {"pending", &Reader::marker},
        {"undone", &Reader::marker},     {"awaiting", &Reader::marker}, {"path", &Reader::path},
        {"link", &Reader::link},         {"owned", &Reader::owned},     {"package", &Reader::package},
        {"user", &Reader::user},         {"key", &Reader::key},         {"group", &Reader::group},
        {"sysctls", &Reader::open},      {"module", &Reader::module},   {"hostname", &Reader::hostname},
        {"timezone", &Reader::timezone}, {"locale", &Reader::locale},   {"block", &Reader::block},
        {"command", &Reader::command},   {"told", &Reader::told},       {"df", &Reader::open},
        {"failed", &Reader::open},       {"units", &Reader::open},      {"tables", &Reader::open},
    };
    const auto found = kinds.find(fields[0]);
    return found != kinds.end() && (this->*found->second)(fields);
  }

  bool finish();

 private:
  enum class Section : std::uint8_t { None, Df, Failed, Units, Tables, Sysctls };

  bool clock(const Fields& f) {
    if (f.size() != 2 || facts_.health.clock) return false;
    // A date without %N leaves it as it is: whole seconds then.
    facts_.health.clock = real(f[1].substr(0, f[1].find_first_of("%N")));
    return true;
  }
  bool host(const Fields& f) {
    if (f.size() != 4 || host_seen_) return false;
    host_seen_ = true;
    facts_.systemd = f[1] == "1";
    facts_.root = f[2] == "1";
    using host::PackageManager;
    static const std::map<std::string_view, PackageManager> managers = {{"none", PackageManager::None},
                                                                        {"apt", PackageManager::Apt},
                                                                        {"dnf", PackageManager::Dnf},
                                                                        {"zypper", PackageManager::Zypper},
                                                                        {"apk", PackageManager::Apk}};
    const auto found = managers.find(f[3]);
    if (found == managers.end()) return false;
    facts_.manager = found->second;
    return true;
  }
  bool os(const Fields& f) {
    if (f.size() != 3) return false;
    facts_.os = printable(f[1], kMostShort);
    facts_.os_version = printable(f[2], kMostShort);
    return true;
  }
  bool kernel(const Fields& f) { return f.size() == 2 && text(f[1], kMostShort, facts_.health.kernel); }
  bool load(const Fields& f) {
    if (f.size() != 2) return false;
    const auto words = split(f[1], ' ');
    if (words.size() < 3) return false;
    auto& health = facts_.health;
    health.load1 = real(words[0]);
    health.load5 = real(words[1]);
    health.load15 = real(words[2]);
    return true;
  }
  bool uptime(const Fields& f) {
    if (f.size() != 2) return false;
    facts_.health.uptime_seconds = number(f[1].substr(0, f[1].find('.')));
    return true;
  }
  bool memory(const Fields& f) {
    if (f.size() != 3) return false;
    const auto kib = number(f[2]);
    if (!kib || *kib > kMostKib) return false;
    (f[1] == "total" ? facts_.health.memory_total : facts_.health.memory_available) = *kib * 1024;
    return true;
  }
  bool reboot(const Fields& f) {
    if (f.size() != 2) return false;
    facts_.health.reboot_required = f[1] == "1";
    return true;
  }
  /// Markers of another configuration are left alone.
  bool marker(const Fields& f) {
    if (f.size() != 3) return false;
    const auto found = needs_.state_names.find(std::string(f[1]));
    if (found == needs_.state_names.end()) return true;
    const auto& id = found->second;
    if (f[0] == "pending") {
      facts_.pending.insert(id);
    } else if (const auto tried = needs_.tried.find(id); tried != needs_.tried.end()) {
      if (f[0] == "awaiting") {
        facts_.awaiting[id] = printable(f[2].substr(0, f[2].find(' ')), kMostShort);
      } else if (f[2] == tried->second) {
        facts_.undone.insert(id);
      }
    }
    return true;
  }
  bool path(const Fields& f) {
    if (f.size() != 6 || !needs_.paths.contains(std::string(f[5]))) return false;
    host::PathFact fact;
    if (!mode(f[1], fact)) return false;
    const auto size = number(f[4]);
    if (!size) return false;
    fact.size = *size;
    fact.owner = printable(f[2], kMostShort);
    fact.group = printable(f[3], kMostShort);
    return facts_.paths.emplace(f[5], std::move(fact)).second;
  }
  bool link(const Fields& f) {
    const auto found = f.size() == 3 ? facts_.paths.find(std::string(f[1])) : facts_.paths.end();
    if (found == facts_.paths.end() || !needs_.links.contains(found->first)) return false;
    return text(f[2], kMostText, found->second.target);
  }
  bool digest(std::string_view line) {
    const auto read = read_digest(line);
    const auto found = facts_.paths.find(read.path);
    if (found == facts_.paths.end() || !needs_.hashed.contains(read.path)) return false;
    return text(read.digest, kMostShort, found->second.sha256);
  }
  bool owned(const Fields& f) {
    if (f.size() != 3) return false;
    const auto key = needs_.owned.find(std::string(f[1]));
    if (key == needs_.owned.end()) return false;
    auto& found = facts_.owned[key->first];
    if (found.size() >= kMostOwned) return false;
    return found.insert(printable(f[2], kMostText)).second;
  }
  bool package(const Fields& f) {
    if (f.size() != 6) return false;
    std::string name(f[1]);
    if (!needs_.packages.contains(name)) name += ":" + std::string(f[2]);
    if (!needs_.packages.contains(name)) return true;  // apk tells all; dpkg may tell another architecture
    auto& fact = facts_.packages[name];
    if (f[3] == "installed" && fact.version.empty()) fact.version = printable(f[5], kMostShort);
    fact.held = fact.held || f[4] == "hold";
    return true;
  }
  bool user(const Fields& f) {
    if (f.size() != 6 || !needs_.users.contains(std::string(f[1]))) return false;
    host::UserFact fact;
    const auto uid = number(f[2]);
    const auto gid = number(f[3]);
    if (!uid || !gid || *uid > kMostId || *gid > kMostId) return false;
    fact.exists = true;
    fact.uid = static_cast<std::int64_t>(*uid);
    fact.home = printable(f[4], kMostText);
    fact.shell = printable(f[5], kMostText);
    primary_[std::string(f[1])] = static_cast<std::int64_t>(*gid);
    // The first line of a name counts, as it does for the host.
    facts_.users.emplace(f[1], std::move(fact));
    return true;
  }
  bool key(const Fields& f) {
    if (f.size() < 3) return false;
    const auto found = facts_.users.find(std::string(f[1]));
    if (found == facts_.users.end() || found->second.ssh_keys.size() >= kMostKeys) return false;
    const auto key = f.size() == 3 ? plain_key(f[2]) : std::string();
    if (key.empty()) {
      found->second.foreign_lines = true;
    } else {
      found->second.ssh_keys.push_back(key);
    }
    return true;
  }
  bool group(const Fields& f) {
    if (f.size() != 4 || !needs_.groups.contains(std::string(f[1]))) return false;
    const auto gid = number(f[2]);
    if (!gid || *gid > kMostId) return false;
    const auto made = facts_.groups.emplace(f[1], host::GroupFact{true, static_cast<std::int64_t>(*gid)});
    if (made.second) members_[made.first->first] = std::string(f[3]);
    return true;
  }
  bool module(const Fields& f) {
    if (f.size() != 3 || !needs_.modules.contains(std::string(f[1]))) return false;
    return facts_.modules.emplace(f[1], f[2] == "1").second;
  }
  bool hostname(const Fields& f) {
    return f.size() == 3 && text(f[2], kMostShort, f[1] == "now" ? facts_.hostname : facts_.hostname_file);
  }
  bool timezone(const Fields& f) {
    if (f.size() != 2) return false;
    const auto at = f[1].rfind("zoneinfo/");
    return text(at == std::string_view::npos ? f[1] : f[1].substr(at + 9), kMostShort, facts_.timezone);
  }
  bool locale(const Fields& f) {
    if (f.size() != 2) return false;
    auto value = f[1];
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    return text(value, kMostShort, facts_.locale);
  }
  bool block(const Fields& f) {
    const auto at = f.size() >= 3 ? number(f[1]) : std::nullopt;
    if (!at || *at >= needs_.blocks.size()) return false;
    const auto start = static_cast<std::size_t>(f[2].data() - f[0].data());
    block_lines_[*at].emplace_back(f[0].data() + start, f.back().data() + f.back().size());
    return true;
  }
  bool command(const Fields& f) {
    if (f.size() != 3 || !needs_.commands.contains(std::string(f[1]))) return false;
    return facts_.commands.emplace(f[1], f[2] == "1").second;
  }
  bool told(const Fields& f) {
    std::string what(f.size() > 1 ? f[1] : "");
    if (f.size() == 3) what += "\t" + std::string(f[2]);
    return f.size() <= 3 && told_.insert(what).second;
  }
  bool open(const Fields& f) {
    static const std::map<std::string_view, Section> sections = {{"df", Section::Df},
                                                                 {"failed", Section::Failed},
                                                                 {"units", Section::Units},
                                                                 {"tables", Section::Tables},
                                                                 {"sysctls", Section::Sysctls}};
    section_ = sections.at(f[0]);
    unit_open_ = false;
    return f.size() == 1;
  }

  bool take_raw(std::string_view line);
  bool unit_line(std::string_view line);
  void table_line(std::string_view line);
  void sysctl_line(std::string_view line);
  void file_system(std::string_view line);
  void finish_accounts();
  void finish_blocks();

  ProbeNeeds needs_;
  Facts& facts_;
  bool host_seen_ = false;
  Section section_ = Section::None;
  std::set<std::string> told_;
  std::map<std::string, std::string> sysctls_;  // path -> key
  std::map<std::string, std::int64_t> primary_;
  std::map<std::string, std::string> members_;
  std::map<std::size_t, std::vector<std::string>> block_lines_;
  std::vector<host::UnitFact> unit_facts_;
  bool unit_open_ = false;
};

bool Reader::take_raw(std::string_view line) {
  static const std::map<Section, std::string_view> ends = {{Section::Df, "df-end"},
                                                           {Section::Failed, "failed-end\t"},
                                                           {Section::Units, "units-end\t"},
                                                           {Section::Sysctls, "sysctls-end"},
                                                           {Section::Tables, "tables-end"}};
  if (line.starts_with(ends.at(section_))) {
    section_ = Section::None;
    return true;
  }
  if (section_ == Section::Units) return unit_line(line);
  if (section_ == Section::Tables) table_line(line);
  if (section_ == Section::Sysctls) sysctl_line(line);
  if (section_ == Section::Df) file_system(line);
  if (section_ == Section::Failed) {
    const auto found = words(line);
    auto& units = facts_.health.failed_units;
    if (!found.empty() && units.size() < kMostFailedUnits) units.push_back(printable(found[0], kMostShort));
  }
  return true;
}

/// systemctl show: a block for each unit, in the order of the question, blank lines between.
bool Reader::unit_line(std::string_view line) {
  if (line.empty()) {
    unit_open_ = false;
    return true;
  }
  if (!unit_open_) {
    if (unit_facts_.size() >= needs_.units.size()) return false;
    unit_facts_.emplace_back();
    unit_open_ = true;
  }
  const auto equals = line.find('=');
  if (equals == std::string_view::npos) return false;
  const auto value = line.substr(equals + 1);
  auto& fact = unit_facts_.back();
  if (line.starts_with("LoadState=")) fact.exists = value != "not-found";
  if (line.starts_with("ActiveState=")) fact.active = printable(value, kMostShort);
  if (line.starts_with("UnitFileState=")) fact.enabled = printable(value, kMostShort);
  return true;
}

/// grep's lines of three tables; lines that only resemble what was asked for are passed over.
void Reader::table_line(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const auto table = line.substr(0, colon);
  const auto fields = words(line.substr(colon + 1));
  if (fields.size() < 3 || fields[0].starts_with('#')) return;
  const auto first = unescape_field(fields[0]), second = unescape_field(fields[1]);
  if (table == "/proc/swaps") {
    const auto kib = number(fields[2]);
    // The first page of a swap file holds its header and is not counted.
    if (needs_.swaps.contains(first) && kib && *kib < kMostKib) {
      auto& swap = facts_.swaps[first];
      swap.active = true;
      swap.size_mib = static_cast<std::int64_t>((*kib + 1023) / 1024);
    }
  } else if (table == "/proc/self/mounts") {
    if (!needs_.mounts.contains(second)) return;
    auto& mount = facts_.mounts[second];  // the last one covers those before it
    mount.mounted = true;
    mount.source = printable(first, kMostText);
    mount.fs = printable(fields[2], kMostShort);
  } else if (table == "/etc/fstab") {
    if (fields[2] == "swap" && needs_.swaps.contains(first)) facts_.swaps[first].in_fstab = true;
    if (!needs_.mounts.contains(second)) return;
    std::string text;
    for (const auto field : fields) text += (text.empty() ? "" : " ") + printable(field, kMostText);
    facts_.mounts[second].fstab = text;
  }
}

/// grep's "path:value"; of a parameter of many lines the first counts.
void Reader::sysctl_line(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const auto key = sysctls_.find(std::string(line.substr(0, colon)));
  if (key == sysctls_.end()) return;
  std::string text;
  for (const auto word : words(line.substr(colon + 1))) text += (text.empty() ? "" : " ") + printable(word, kMostText);
  facts_.sysctls.emplace(key->second, text);
}

void Reader::file_system(std::string_view line) {
  const auto fields = words(line);
  auto& all = facts_.health.file_systems;
  if (fields.size() < 6 || all.size() >= kMostFileSystems) return;
  if (!fields[0].starts_with('/') && fields[5] != "/") return;  // held in memory, or not a file system of its own
  const auto size = number(fields[1]), available = number(fields[3]);
  if (!size || !available || *size > kMostKib || *available > kMostKib) return;
  const auto at = static_cast<std::size_t>(fields[5].data() - line.data());
  all.push_back({printable(line.substr(at), kMostShort), *size * 1024, *available * 1024});
}

void Reader::finish_accounts() {
  for (auto& [name, user] : facts_.users) {
    user.keys_told = told_.contains("keys\t" + name);
    for (const auto& [group, fact] : facts_.groups) {
      const auto members = split(members_[group], ',');
      const bool member = std::find(members.begin(), members.end(), name) != members.end();
      if (member || primary_[name] == fact.gid) user.groups.insert(group);
    }
  }
  if (told_.contains("users")) {
    for (const auto& name : needs_.users) facts_.users.emplace(name, host::UserFact{});
  }
  if (told_.contains("groups")) {
    for (const auto& name : needs_.groups) facts_.groups.emplace(name, host::GroupFact{});
  }
}

/// Without the markers; with them where they do not fit together, which is like nothing wanted.
void Reader::finish_blocks() {
  std::size_t at = 0;
  for (const auto& [id, block] : needs_.blocks) {
    const auto& lines = block_lines_[at++];
    if (!told_.contains("blocks\t" + block.path)) continue;
    const bool whole = lines.size() >= 2 && lines.back() == "# nimbus:" + block.name + " end" &&
                       std::count(lines.begin(), lines.end(), lines.front()) == 1;
    std::string text;
    for (std::size_t i = whole ? 1 : 0; i < lines.size() - (whole ? 1 : 0); ++i) text += lines[i] + "\n";
    facts_.blocks[id] = whole && text.empty() ? "\n" : text;
  }
}

bool Reader::finish() {
  if (section_ != Section::None || !host_seen_) return false;
  if (told_.contains("paths") && facts_.root) {
    for (const auto& path : needs_.paths) facts_.paths.emplace(path, host::PathFact{});
  }
  for (const auto& [key, where] : needs_.owned) {
    if (told_.contains("owned\t" + key)) {
      facts_.owned[key];
    } else {
      facts_.owned.erase(key);
    }
  }
  if (told_.contains("packages")) {
    for (const auto& name : needs_.packages) facts_.packages.emplace(name, host::PackageFact{});
  }
  finish_accounts();
  finish_blocks();
  if (unit_facts_.size() == needs_.units.size()) {
    auto fact = unit_facts_.begin();
    for (const auto& name : needs_.units) facts_.units.emplace(name, *fact++);
  }
  if (told_.contains("tables")) {
    for (const auto& path : needs_.mounts) facts_.mounts.emplace(path, host::MountFact{});
    for (const auto& path : needs_.swaps) facts_.swaps.emplace(path, host::SwapFact{});
  }
  return true;
}

Error corrupt(std::string what) { return {Code::Corrupt, "the host's answer to the probe " + what, {}}; }

}  // namespace

Result<Facts> read_probe(std::string_view output, const host::Configuration& wanted, std::string_view token) {
  if (output.size() > most_probe_output(wanted)) return corrupt("is too long");
  const auto begin = fmt::format("nimbus-probe\t1\t{}\tbegin\n", token);
  const auto end = fmt::format("\nnimbus-probe\t1\t{}\tend\n", token);
  const auto from = output.find(begin);
  if (from == std::string_view::npos) return corrupt("does not begin");
  output.remove_prefix(from + begin.size());
  const auto to = output.find(end);
  if (to == std::string_view::npos) return corrupt("was cut off");
  output = output.substr(0, to);
  Facts facts;
  Reader reader(wanted, facts);
  std::size_t count = 0;
  while (!output.empty()) {
    const auto stop = output.find('\n');
    const auto line = output.substr(0, stop);
    ++count;
    if (line.find('\0') != std::string_view::npos || !reader.take(line)) {
      return corrupt(fmt::format("makes no sense in line {}: {}", count, printable(line, 80)));
    }
    output.remove_prefix(stop == std::string_view::npos ? output.size() : stop + 1);
  }
  if (!reader.finish()) return corrupt("is not whole");
  return facts;
}

}  // namespace nimbus::reconcilers::configure
