// Reads the lines of a probe's answer. The host may be hostile: a line that does not fit what
// was asked for is refused, and with it the whole answer. Thread rule: one thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/host/facts.hpp"
#include "core/host/resource.hpp"
#include "reconcilers/configure/needs.hpp"
#include "reconcilers/configure/read_lines.hpp"
#include "reconcilers/configure/shell.hpp"

namespace nimbus::reconcilers::configure {
using host::Facts;
using Fields = std::vector<std::string_view>;

/// False: it was told before.
inline bool text(std::string_view value, std::size_t most, std::string& out) {
  if (!out.empty()) return false;
  out = printable(value, most);
  return true;
}

inline constexpr std::size_t kMostText = 4096;  // a path
inline constexpr std::size_t kMostShort = 200;  // names, versions, states
inline constexpr std::size_t kMostFileSystems = 64, kMostFailedUnits = 64, kMostOwned = 1000, kMostKeys = 1000;

/// Takes the lines of an answer, one after the other, into facts.
class ProbeReader {
 public:
  ProbeReader(const ProbeNeeds& needs, Facts& facts) : needs_(needs), facts_(facts) {
    for (const auto& key : needs_.sysctls) sysctls_["/proc/sys/" + sysctl_path(key)] = key;
  }

  /// False: the line makes no sense.
  bool take(std::string_view line) {
    if (section_ != Section::None) return take_raw(line);
    if (line.empty()) return true;
    if (is_digest_line(line)) return digest(line);
    const auto fields = split(line, '\t');
    static const std::map<std::string_view, bool (ProbeReader::*)(const Fields&)> kinds = {
        {"clock", &ProbeReader::clock},       {"host", &ProbeReader::host},       {"os", &ProbeReader::os},
        {"kernel", &ProbeReader::kernel},     {"load", &ProbeReader::load},       {"uptime", &ProbeReader::uptime},
        {"memory", &ProbeReader::memory},     {"reboot", &ProbeReader::reboot},   {"pending", &ProbeReader::marker},
        {"undone", &ProbeReader::marker},     {"awaiting", &ProbeReader::marker}, {"path", &ProbeReader::path},
        {"link", &ProbeReader::link},         {"owned", &ProbeReader::owned},     {"package", &ProbeReader::package},
        {"user", &ProbeReader::user},         {"key", &ProbeReader::key},         {"group", &ProbeReader::group},
        {"sysctls", &ProbeReader::open},      {"module", &ProbeReader::module},   {"hostname", &ProbeReader::hostname},
        {"timezone", &ProbeReader::timezone}, {"locale", &ProbeReader::locale},   {"block", &ProbeReader::block},
        {"command", &ProbeReader::command},   {"told", &ProbeReader::told},       {"df", &ProbeReader::open},
        {"failed", &ProbeReader::open},       {"units", &ProbeReader::open},      {"tables", &ProbeReader::open},
        {"mount", &ProbeReader::mount},
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
    // Beside those that are declared: of more it is enough to know that there are some.
    if (found.size() >= kMostOwned + needs_.paths.size()) return true;
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
    if (found == facts_.users.end()) return false;
    // The account's own doing, which says nothing of the host.
    if (found->second.ssh_keys.size() >= kMostKeys) return too_many_keys_.insert(found->first), true;
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
  bool mount(const Fields& f) {
    if (f.size() != 3 || !needs_.mount_sources.contains(std::string(f[1]))) return false;
    return declared_.emplace(f[1], f[2] == "1").second;
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
    if (section_ == Section::Failed) facts_.health.failed_units.emplace();
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

  const ProbeNeeds& needs_;
  Facts& facts_;
  bool host_seen_ = false;
  Section section_ = Section::None;
  std::set<std::string> told_;
  std::map<std::string, std::string> sysctls_;  // path -> key
  std::map<std::string, std::int64_t> primary_;
  std::map<std::string, std::string> members_;
  std::set<std::string> too_many_keys_;   // accounts
  std::map<std::string, bool> declared_;  // of mounts
  std::map<std::size_t, std::vector<std::string>> block_lines_;
  std::vector<host::UnitFact> unit_facts_;
  bool unit_open_ = false;
};

}  // namespace nimbus::reconcilers::configure
