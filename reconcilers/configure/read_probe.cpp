// The raw sections of an answer (what tools said in their own words), what follows from what
// was told and what was not, and the frame around it all.
#include "reconcilers/configure/probe.hpp"

#include <fmt/core.h>

#include "reconcilers/configure/probe_reader.hpp"

namespace nimbus::reconcilers::configure {

bool ProbeReader::take_raw(std::string_view line) {
  static const std::map<Section, std::string_view> ends = {{Section::Df, "df-end"},
                                                           {Section::Failed, "failed-end\t"},
                                                           {Section::Units, "units-end\t"},
                                                           {Section::Sysctls, "sysctls-end"},
                                                           {Section::Tables, "tables-end"}};
  if (line.starts_with(ends.at(section_))) {
    if (section_ == Section::Failed && line != "failed-end\t0") facts_.health.failed_units.reset();
    section_ = Section::None;
    return true;
  }
  if (section_ == Section::Units) return unit_line(line);
  if (section_ == Section::Tables) table_line(line);
  if (section_ == Section::Sysctls) sysctl_line(line);
  if (section_ == Section::Df) file_system(line);
  if (section_ == Section::Failed) {
    const auto found = words(line);
    auto& units = *facts_.health.failed_units;
    if (!found.empty() && units.size() < kMostFailedUnits) units.push_back(printable(found[0], kMostShort));
  }
  return true;
}

/// systemctl show: a block for each unit, in the order of the question, blank lines between.
bool ProbeReader::unit_line(std::string_view line) {
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
void ProbeReader::table_line(std::string_view line) {
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
void ProbeReader::sysctl_line(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const auto key = sysctls_.find(std::string(line.substr(0, colon)));
  if (key == sysctls_.end()) return;
  std::string text;
  for (const auto word : words(line.substr(colon + 1))) text += (text.empty() ? "" : " ") + printable(word, kMostText);
  facts_.sysctls.emplace(key->second, text);
}

void ProbeReader::file_system(std::string_view line) {
  const auto fields = words(line);
  auto& all = facts_.health.file_systems;
  if (fields.size() < 6 || all.size() >= kMostFileSystems) return;
  if (!fields[0].starts_with('/') && fields[5] != "/") return;  // held in memory, or not a file system of its own
  const auto size = number(fields[1]), available = number(fields[3]);
  if (!size || !available || *size > kMostKib || *available > kMostKib) return;
  const auto at = static_cast<std::size_t>(fields[5].data() - line.data());
  all.push_back({printable(line.substr(at), kMostShort), *size * 1024, *available * 1024});
}

void ProbeReader::finish_accounts() {
  for (auto& [name, user] : facts_.users) {
    user.keys_told = told_.contains("keys\t" + name) && !too_many_keys_.contains(name);
    for (const auto& [group, fact] : facts_.groups) {
      // Not by split(), which ends somewhere: a group may have thousands.
      const bool member = ("," + members_[group] + ",").find("," + name + ",") != std::string::npos;
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
void ProbeReader::finish_blocks() {
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

bool ProbeReader::finish() {
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
    for (const auto& [path, declared] : declared_) {
      if (auto& fact = facts_.mounts[path]; fact.mounted) fact.declared = declared;
    }
  }
  return true;
}

namespace {

Error corrupt(std::string what) { return {Code::Corrupt, "the host's answer to the probe " + what, {}}; }

}  // namespace

Result<Facts> read_probe(std::string_view output, const ProbeNeeds& needs, std::string_view token) {
  if (output.size() > needs.most_output) return corrupt("is too long");
  const auto begin = fmt::format("nimbus-probe\t1\t{}\tbegin\n", token);
  const auto end = fmt::format("\nnimbus-probe\t1\t{}\tend\n", token);
  const auto from = output.find(begin);
  if (from == std::string_view::npos) return corrupt("does not begin");
  output.remove_prefix(from + begin.size());
  const auto to = output.find(end);
  if (to == std::string_view::npos) return corrupt("was cut off");
  output = output.substr(0, to);
  Facts facts;
  ProbeReader reader(needs, facts);
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
