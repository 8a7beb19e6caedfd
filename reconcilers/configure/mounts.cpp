// Mounts and swap files, now and in /etc/fstab. What is mounted is mounted by hand first: a
// line that does not work would keep the host from starting.
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

/// Where the kernel tells another name than the file (a UUID, a label, a link), no comparison.
bool mounted_as(const host::Mount& it, const host::MountFact& fact) {
  const bool bound = it.fs == "none" || it.fs == "auto";
  return fact.mounted && (bound || fact.fs == it.fs);
}

}  // namespace

void ask(const host::Mount& it, ProbeNeeds& needs) { needs.mounts.insert(it.path); }

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
  if (!mounted_as(it, fact)) check.differs("mounted", "mounted (" + it.fs + ")", now);
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
  if (mounted_as(it, fact)) {
    step.line(fmt::format("mount -o {} {} || exit 1", quote("remount," + it.options), path));
  } else {
    if (fact.mounted) step.line(fmt::format("umount {} || exit 1", path));
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
