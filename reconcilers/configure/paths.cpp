// Files, directories, links, and files of ours that nobody declares any more.
#include <fmt/core.h>

#include <algorithm>

#include "reconcilers/configure/primitives.hpp"
#include "reconcilers/configure/shell.hpp"

namespace nimbus::reconcilers::configure {
namespace {

using host::PathKind;
using host::Presence;

constexpr std::size_t kShownDigest = 12;

std::string_view name_of(PathKind kind) {
  switch (kind) {
    case PathKind::Absent:
      return "absent";
    case PathKind::File:
      return "a file";
    case PathKind::Directory:
      return "a folder";
    case PathKind::Link:
      return "a link";
    case PathKind::Other:
      return "a device, pipe or socket";
  }
  return "?";
}

const host::PathFact* fact_of(const std::string& path, Check& check) {
  const auto found = check.shown.paths.find(path);
  if (found != check.shown.paths.end()) return &found->second;
  check.unknown("the probe could not see " + printable(path, 200));
  return nullptr;
}

/// Whether the kind is right; where nothing more is to be compared it says so too.
bool same_kind(PathKind wanted, const host::PathFact& fact, Check& check) {
  if (fact.kind == wanted) return true;
  check.differs("kind", std::string(name_of(wanted)), std::string(name_of(fact.kind)));
  return false;
}

void check_access(const std::string& owner, const std::string& group, const std::string& mode,
                  const host::PathFact& fact, Check& check) {
  if (fact.owner != owner) check.differs("owner", owner, fact.owner);
  if (fact.group != group) check.differs("group", group, fact.group);
  const std::string four = std::string(4 - std::min<std::size_t>(4, mode.size()), '0') + mode;
  if (fact.mode != four) check.differs("mode", four, fact.mode);
}

std::string_view bytes_of(const host::File& it) { return it.is_secret ? it.secret.reveal() : it.content; }

void check_content(const host::File& it, const host::PathFact& fact, Check& check) {
  if (it.sha256.empty()) return;  // a plan has no secrets: their content is not compared
  if (fact.sha256 == it.sha256) return;
  if (fact.sha256.empty() && fact.size <= bytes_of(it).size()) return check.unknown("its content could not be read");
  if (it.is_secret) return check.differs("content", "the secret", "other content");
  const auto brief = [](const std::string& digest) { return "sha256 " + digest.substr(0, kShownDigest); };
  check.differs("content", brief(it.sha256),
                fact.sha256.empty() ? fmt::format("{} bytes", fact.size) : brief(fact.sha256));
}

/// The new file has its content, in the private folder: owner, mode, validation, its place.
void into_place(const host::File& it, const std::string& base, Step& step) {
  // A validator may quote what it reads.
  const std::string quiet = it.is_secret ? " >/dev/null 2>&1" : "";
  const auto here = "./" + base;
  const auto at = it.validate.find("{file}");
  const bool before = !it.validate.empty() && at != std::string::npos;
  const bool after = !it.validate.empty() && at == std::string::npos;
  step.line(fmt::format("chown -h {} {} && chmod {} {} || exit 1", quote(it.owner + ":" + it.group), quote(here),
                        quote(it.mode), quote(here)));
  step.line("durable " + quote(here));
  if (before) {
    std::string command = it.validate;
    const auto path = quote(folder_of(it.path) + "/.nimbus-" + digest_of(it.path) + "/" + base);
    for (auto found = at; found != std::string::npos; found = command.find("{file}", found + path.size())) {
      command.replace(found, 6, path);
    }
    step.line("(cd / && sh -c " + quote(command) + ")" + quiet +
              " || fail 'the new file does not pass its validation: nothing changed'");
  }
  const auto marker = quote(state_name(step.id));
  if (after) {
    step.line(fmt::format("[ ! -e ../{0} ] || ln ../{0} ./.old || exit 1\nnote {1}", quote(base), marker));
  }
  step.announce();
  step.save(it.path);
  step.line("go_live " + quote(base));
  if (after) {
    step.line("(cd / && sh -c " + quote(it.validate) + ")" + quiet + " || {");
    step.line(
        fmt::format("  if [ -e ./.old ]; then mv -f ./.old ../{0}; else rm -f ../{0}; fi || exit 1", quote(base)));
    step.line(fmt::format("  settled {}\n  fail 'the validation failed: what was there before is back'\n}}\nsettled {}",
                          marker, marker));
  }
}

}  // namespace

void ask(const host::File& it, ProbeNeeds& needs) {
  needs.paths.insert(it.path);
  if (it.presence == Presence::Absent || it.sha256.empty()) return;
  needs.hashed.insert(it.path);
  needs.most_hashed = std::max<std::uint64_t>(needs.most_hashed, bytes_of(it).size());
}

void check(const host::File& it, Check& check) {
  const auto* fact = fact_of(it.path, check);
  if (fact == nullptr) return;
  if (check.shown.pending.contains(check.id)) check.differs("validation", "passed", "cut off half-way");
  if (it.presence == Presence::Absent) {
    same_kind(PathKind::Absent, *fact, check);
    return;
  }
  if (!same_kind(PathKind::File, *fact, check)) return;
  check_access(it.owner, it.group, it.mode, *fact, check);
  check_content(it, *fact, check);
}

void correct(const host::File& it, Step& step) {
  const auto folder = quote(folder_of(it.path)), base = base_of(it.path), key = digest_of(it.path);
  const auto marker = quote(state_name(step.id));
  step.line(fmt::format("recover {} {} {} {}", folder, key, quote(base), marker));
  if (it.presence == Presence::Absent) {
    step.line("into " + folder);
    step.announce();
    step.save(it.path);
    step.line("rm -f " + quote("./" + base));
    return;
  }
  if (it.is_secret && it.secret.empty()) return step.line("fail 'the secret is not at hand'");
  step.line(fmt::format("work_in {} {} {}", folder, key, marker));
  const auto content = bytes_of(it);
  step.instead =
      fmt::format("(umask 077; {})", it.is_secret ? "the secret" : fmt::format("{} bytes of content", content.size()));
  step.hidden = "(umask 077; " + print_command(content) + fmt::format(" >./{})", quote(base));
  step.line(step.hidden + " || fail 'cannot write the new file: is the disk full?'");
  if (!it.sha256.empty()) {
    step.line(fmt::format("holds ./{} {} || fail 'the new file was not written whole: is the disk full?'", quote(base),
                          quote(it.sha256)));
  }
  into_place(it, base, step);
}

void ask(const host::Directory& it, ProbeNeeds& needs) { needs.paths.insert(it.path); }

void check(const host::Directory& it, Check& check) {
  const auto* fact = fact_of(it.path, check);
  if (fact == nullptr) return;
  if (it.presence == Presence::Absent) {
    if (fact->kind == PathKind::Directory) same_kind(PathKind::Absent, *fact, check);
  } else if (same_kind(PathKind::Directory, *fact, check)) {
    check_access(it.owner, it.group, it.mode, *fact, check);
  }
}

void correct(const host::Directory& it, Step& step) {
  const auto above = quote(folder_of(it.path)), base = base_of(it.path), here = quote("./" + base);
  if (it.presence == Presence::Absent) {
    return step.line(fmt::format("[ ! -d {} ] || {{ into {}; rmdir {}; }}", quote(it.path), above, here));
  }
  step.line("into " + above);
  step.line(
      fmt::format("[ ! -L {0} ] && {{ [ -d {0} ] || [ ! -e {0} ]; }} || fail 'something else is in the way'", here));
  step.line(fmt::format("[ -d {0} ] || mkdir -m 700 {0} || exit 1", here));
  // From inside: a name of somebody else's may be another folder by now.
  step.line(fmt::format("cd {} && [ \"$(pwd -P)\" = \"${{here%/}}/\"{} ] || fail 'something else is in the way'", here,
                        quote(base)));
  // Five digits: with fewer, GNU chmod leaves a folder's set-user-ID and set-group-ID bits as they are.
  step.line(fmt::format("chown {} . && chmod '{:0>5}' .", quote(it.owner + ":" + it.group), it.mode));
}

void ask(const host::Link& it, ProbeNeeds& needs) {
  needs.paths.insert(it.path);
  if (it.presence == Presence::Present) needs.links.insert(it.path);
}

void check(const host::Link& it, Check& check) {
  const auto* fact = fact_of(it.path, check);
  if (fact == nullptr) return;
  if (it.presence == Presence::Absent) {
    if (fact->kind == PathKind::Link) same_kind(PathKind::Absent, *fact, check);
    return;
  }
  if (!same_kind(PathKind::Link, *fact, check)) return;
  if (fact->target.empty()) return check.unknown("where the link points to could not be read");
  const auto wanted = printable(it.target, 4096);
  if (fact->target != wanted) check.differs("target", wanted, fact->target);
}

void correct(const host::Link& it, Step& step) {
  const auto base = base_of(it.path);
  if (it.presence == Presence::Absent) {
    step.line("into " + quote(folder_of(it.path)));
    step.announce();
    step.save(it.path);
    return step.line(fmt::format("[ ! -L {0} ] || rm -f {0}", quote("./" + base)));
  }
  step.line(fmt::format("work_in {} {}", quote(folder_of(it.path)), digest_of(it.path)));
  step.line(fmt::format("ln -s -- {} {} || exit 1", quote(it.target), quote("./" + base)));
  step.announce();
  step.save(it.path);
  step.line("go_live " + quote(base));
}

void ask(const host::OwnedFiles& it, ProbeNeeds& needs) {
  needs.owned[it.folder + "/" + it.prefix] = {it.folder, it.prefix};
}

void check(const host::OwnedFiles& it, Check& check) {
  const auto found = check.shown.owned.find(it.folder + "/" + it.prefix);
  if (found == check.shown.owned.end()) return check.unknown("the folder could not be read");
  std::set<std::string> keep;
  for (const auto& path : it.keep) keep.insert(printable(path, 4096));
  for (const auto& path : found->second) {
    if (!keep.contains(path)) check.differs("extra", "absent", path);
  }
}

void correct(const host::OwnedFiles& it, Step& step) {
  step.announce();
  step.line(fmt::format("for f in {}/{}*; do", quote(it.folder == "/" ? "" : it.folder), quote(it.prefix)));
  std::string keep;
  for (const auto& path : it.keep) keep += (keep.empty() ? "" : "|") + quote(path);
  if (!keep.empty()) step.line("case $f in " + keep + ") continue ;; esac");
  step.line("[ -L \"$f\" ] || [ -f \"$f\" ] || continue");
  for (const auto& action : step.guarded) {
    step.line(fmt::format("save_old {} \"$(printf %s \"$f\" | cksum | tr ' ' -)\" \"$f\"", quote(action)));
  }
  step.line("rm -f \"$f\" || exit 1\ndone");
}

}  // namespace nimbus::reconcilers::configure
