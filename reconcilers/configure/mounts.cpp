// Mounts and swap files, now and in /etc/fstab. What is mounted is mounted by hand first: a
// line that does not work would keep the host from starting.
#include <algorithm>
#include <initializer_list>

#include <fmt/core.h>

#include "reconcilers/configure/primitives.hpp"
#include "reconcilers/configure/read_lines.hpp"
#include "reconcilers/configure/shell.hpp"

namespace nimbus::reconcilers::configure {
namespace {

using host::Presence;

std::string line_of(const host::Mount& it) {
  return fstab_field(it.source) + " " + fstab_field(it.path) + " " + it.fs + " " + it.options + " 0 0";
}

/// The first four fields; how often to dump and when to check is left to people.
std::string four_fields(std::string_view line) {
  std::string out;
  std::size_t count = 0;
  for (const auto word : words(line)) {
    if (count++ == 4) break;
    out += (out.empty() ? "" : " ") + std::string(word);
  }
  return out;
}

bool mounted_as(const host::Mount& it, const host::MountFact& fact) {
  const bool bound = it.fs == "none" || it.fs == "auto";
  const bool nfs = it.fs == "nfs" && fact.fs == "nfs4";
  return fact.mounted && (bound || nfs || fact.fs == it.fs);
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> list) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

/// A device, a file or a folder. One of several devices of a file system may be any of them.
bool is_local(const host::Mount& it) {
  if (is_one_of(it.fs, {"btrfs", "bcachefs", "zfs"})) return false;
  return is_bind(it) || is_tag(it.source) || (it.source.starts_with('/') && !it.source.starts_with("//"));
}

/// These show the name that they were given. A name of a tmpfs means nothing, and what is in it would be lost.
bool has_name(const host::Mount& it) { return is_one_of(it.fs, {"nfs", "nfs4", "cifs", "smb3", "9p", "virtiofs"}); }

std::string_view without_slash(std::string_view name) {
  while (name.size() > 1 && name.ends_with('/')) name.remove_suffix(1);
  return name;
}

/// Something else is mounted there for certain.
bool other_source(const host::Mount& it, const host::MountFact& fact) {
  if (!fact.mounted) return false;
  if (has_name(it)) return without_slash(fact.source) != without_slash(printable(it.source, 4096));
  return fact.declared == false;
}

}  // namespace

bool is_tag(std::string_view source) {
  const auto tags = {"UUID=", "LABEL=", "PARTUUID=", "PARTLABEL="};
  return std::any_of(tags.begin(), tags.end(), [&](const char* tag) { return source.starts_with(tag); });
}

bool is_bind(const host::Mount& it) {
  const auto options = split(it.options, ',');
  return std::any_of(options.begin(), options.end(), [](auto each) { return each == "bind" || each == "rbind"; });
}

void ask(const host::Mount& it, ProbeNeeds& needs) {
  needs.mounts.insert(it.path);
  if (it.presence == Presence::Present && is_local(it)) needs.mount_sources.emplace(it.path, it);
}

void check(const host::Mount& it, Check& check) {
  const auto found = check.shown.mounts.find(it.path);
  if (found == check.shown.mounts.end()) return check.unknown("mounts could not be read");
  const auto& fact = found->second;
  const auto now = fact.mounted ? "mounted (" + fact.fs + ")" : "not mounted";
  if (it.presence == Presence::Absent) {
    if (fact.mounted) check.differs("mounted", "not mounted", now);
    if (!fact.fstab.empty()) check.differs("fstab", "no line", fact.fstab);
    return;
  }
  if (!mounted_as(it, fact)) {
    check.differs("mounted", "mounted (" + it.fs + ")", now);
  } else if (other_source(it, fact)) {
    check.differs("source", printable(it.source, 4096), is_bind(it) ? "something else" : fact.source);
  }
  const auto wanted = printable(four_fields(line_of(it)), 4096);
  const auto shown = four_fields(fact.fstab);
  if (shown != wanted) check.differs("fstab", wanted, shown.empty() ? "no line" : shown);
}

void correct(const host::Mount& it, Step& step) {
  const auto path = quote(it.path);
  const auto found = step.shown.mounts.find(it.path);
  const host::MountFact fact = found == step.shown.mounts.end() ? host::MountFact{} : found->second;
  const auto field = quote(fstab_field(it.path));
  if (it.presence == Presence::Absent) {
    if (fact.mounted) step.line(fmt::format("umount {} || exit 1", path));
    return step.line(fmt::format("fstab_set 2 {} ''", field));
  }
  const auto how = fmt::format("-t {} -o {} -- {} {}", quote(it.fs), quote(it.options), quote(it.source), path);
  if (mounted_as(it, fact) && !other_source(it, fact)) {
    step.line(fmt::format("mount -o {} {} || exit 1", quote("remount," + it.options), path));
  } else {
    if (fact.mounted) {
      // What is there stays there while what is to come is not.
      if (is_tag(it.source)) {
        step.line(fmt::format("! have findfs || findfs {0} >/dev/null 2>&1 || fail 'there is no device' {0}",
                              quote(it.source)));
      } else if (is_local(it)) {
        step.line(fmt::format("[ -e {0} ] || fail 'there is no' {0}", quote(it.source)));
      }
      step.line(fmt::format("umount {} || fail 'something else is mounted there, and it is in use'", path));
    }
    step.line(fmt::format("[ -d {0} ] || mkdir -p {0} || exit 1\nmount {1} || exit 1", path, how));
  }
  step.line(fmt::format("fstab_set 2 {} {}", field, quote(line_of(it))));
}

void ask(const host::Swap& it, ProbeNeeds& needs) { needs.swaps.insert(it.path); }

void check(const host::Swap& it, Check& check) {
  const auto found = check.shown.swaps.find(it.path);
  if (found == check.shown.swaps.end()) return check.unknown("swaps could not be read");
  const auto& fact = found->second;
  const bool wanted = it.presence == Presence::Present;
  if (fact.active != wanted)
    check.differs("active", wanted ? "active" : "not active", fact.active ? "active" : "not active");
  if (wanted && fact.active && fact.size_mib != it.size_mib) {
    check.differs("size", fmt::format("{} MiB", it.size_mib), fmt::format("{} MiB", fact.size_mib));
  }
  if (fact.in_fstab != wanted)
    check.differs("fstab", wanted ? "a line" : "no line", fact.in_fstab ? "a line" : "no line");
}

void correct(const host::Swap& it, Step& step) {
  const auto path = quote(it.path), part = quote(it.path + ".nimbus-new"), field = quote(fstab_field(it.path));
  const auto found = step.shown.swaps.find(it.path);
  const bool active = found != step.shown.swaps.end() && found->second.active;
  const bool right = active && found->second.size_mib == it.size_mib;
  if (it.presence == Presence::Absent) {
    if (active) step.line(fmt::format("swapoff {} || exit 1", path));
    return step.line(fmt::format("fstab_set 1 {} '' && rm -f {}", field, path));
  }
  if (!right) {
    if (active) step.line(fmt::format("swapoff {} || exit 1", path));
    // Not left behind on a full disk.
    step.line("t=" + part + "; trap 'rm -f \"$t\"' EXIT");
    step.line(
        fmt::format("rm -f {0}; (umask 077; fallocate -l {1}M {0} 2>/dev/null || dd if=/dev/zero of={0} bs=1M "
                    "count={1} 2>&1) || fail 'there is no room for it'",
                    part, it.size_mib));
    step.line(fmt::format("mkswap {0} >/dev/null && mv -f {0} {1} && swapon {1} || exit 1", part, path));
  }
  step.line(fmt::format("fstab_set 1 {} {}", field, quote(fstab_field(it.path) + " none swap sw 0 0")));
}

}  // namespace nimbus::reconcilers::configure
