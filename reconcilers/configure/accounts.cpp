// Groups, users and their keys. shadow's tools where they are, busybox's where those are not.
#include <fmt/core.h>

#include <algorithm>

#include "reconcilers/configure/primitives.hpp"
#include "reconcilers/configure/read_lines.hpp"
#include "reconcilers/configure/shell.hpp"

namespace nimbus::reconcilers::configure {
namespace {

using host::Presence;

/// As the host tells keys: without comments. Wanted ones were checked to be keys.
std::set<std::string> keys_of(const host::User& it) {
  std::set<std::string> out;
  for (const auto& key : it.ssh_keys) {
    if (auto plain = plain_key(key); !plain.empty()) out.insert(std::move(plain));
  }
  return out;
}

const host::UserFact* fact_of(const host::User& it, const host::Facts& shown) {
  const auto found = shown.users.find(it.name);
  return found == shown.users.end() ? nullptr : &found->second;
}

/// The names of keys are their last characters: enough to tell them apart.
std::string brief(const std::string& key) {
  constexpr std::size_t kShown = 12;
  const auto type = key.substr(0, key.find(' '));
  return type + " …" + key.substr(key.size() - std::min(key.size() - type.size() - 1, kShown));
}

void check_keys(const host::User& it, const host::UserFact& fact, Check& check) {
  if (!fact.keys_told) return check.unknown("authorized_keys could not be read, is a link, or holds too much");
  const auto wanted = keys_of(it);
  const std::set<std::string> found(fact.ssh_keys.begin(), fact.ssh_keys.end());
  for (const auto& key : wanted) {
    if (!found.contains(key)) check.differs("ssh_keys", brief(key), "absent");
  }
  if (!it.exclusive_keys) return;
  for (const auto& key : found) {
    if (!wanted.contains(key)) check.differs("ssh_keys", "absent", brief(key));
  }
  if (fact.foreign_lines) check.differs("ssh_keys", "only declared keys", "lines of another form");
}

/// Written by the account itself: what root writes into a folder of somebody else's may be led astray.
void correct_keys(const host::User& it, Step& step) {
  const auto* fact = fact_of(it, step.shown);
  std::string lines;
  for (const auto& key : it.ssh_keys) {
    const auto plain = plain_key(key);
    const bool there = fact != nullptr && fact->keys_told &&
                       std::find(fact->ssh_keys.begin(), fact->ssh_keys.end(), plain) != fact->ssh_keys.end();
    if (!plain.empty() && (it.exclusive_keys || !there)) lines += key + "\n";
  }
  const std::string old = it.exclusive_keys ? ""
                                            : "[ ! -f authorized_keys ] || { cat authorized_keys && { [ -z \"$(tail -c "
                                              "1 authorized_keys)\" ] || echo; } } && ";
  const auto script = "umask 077; cd && mkdir -p .ssh && cd .ssh && chmod 700 . && { " + old +
                      "cat; } >.nimbus-new && chmod 600 .nimbus-new && mv -f .nimbus-new authorized_keys";
  step.line(print_command(lines) + " | su -s /bin/sh " + quote(it.name) + " -c " + quote(script) +
            " || fail 'cannot write authorized_keys'");
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ",") + name;
  return out;
}

/// Only what differs: usermod refuses to touch an account in use for some of these.
std::string usermod_options(const host::User& it, const host::UserFact* fact) {
  std::string out;
  if (it.uid && (fact == nullptr || fact->uid != *it.uid)) out += fmt::format(" -u {}", *it.uid);
  if (!it.shell.empty() && (fact == nullptr || fact->shell != it.shell)) out += " -s " + quote(it.shell);
  if (!it.home.empty() && (fact == nullptr || fact->home != it.home)) out += " -m -d " + quote(it.home);
  if (!it.groups.empty()) out += " -a -G " + quote(joined(it.groups));
  return out;
}

void make_user(const host::User& it, Step& step) {
  const auto name = quote(it.name);
  std::string options, simple;
  if (it.uid) options += fmt::format(" -u {}", *it.uid);
  if (!it.shell.empty()) options += " -s " + quote(it.shell);
  simple = options;
  if (!it.home.empty()) {
    options += " -d " + quote(it.home);
    simple += " -h " + quote(it.home);
  }
  if (!it.groups.empty()) options += " -G " + quote(joined(it.groups));
  // '*' is no password and, unlike '!', no lock: sshd lets keys in without PAM too.
  step.line(fmt::format("  g=; ! known group {0} || g='-g '{0}", name));
  step.line(fmt::format("  useradd -m -p '*'{} $g {}", options, name));
  step.line("elif have adduser; then");
  std::string groups;
  for (const auto& group : it.groups) groups += fmt::format(" && addgroup {} {}", name, quote(group));
  step.line(fmt::format("  adduser -D{} {}{}", simple, name, groups));
}

}  // namespace

void ask(const host::Group& it, ProbeNeeds& needs) { needs.groups.insert(it.name); }

void check(const host::Group& it, Check& check) {
  const auto found = check.shown.groups.find(it.name);
  if (found == check.shown.groups.end()) return check.unknown("groups could not be looked up");
  const auto& fact = found->second;
  const bool wanted = it.presence == Presence::Present;
  if (fact.exists != wanted) {
    check.differs("presence", wanted ? "present" : "absent", fact.exists ? "present" : "absent");
  } else if (wanted && it.gid && *it.gid != fact.gid) {
    check.differs("gid", fmt::format("{}", *it.gid), fmt::format("{}", fact.gid));
  }
}

void correct(const host::Group& it, Step& step) {
  const auto name = quote(it.name);
  const auto gid = it.gid ? fmt::format(" -g {}", *it.gid) : std::string();
  if (it.presence == Presence::Absent) {
    return step.line(
        fmt::format("! known group {0} || if have groupdel; then groupdel {0}; else delgroup {0}; fi", name));
  }
  step.line(fmt::format("if known group {}; then", name));
  step.line(gid.empty() ? "  exit 254" : fmt::format("  groupmod{} {}", gid, name));
  step.line(fmt::format("elif have groupadd; then groupadd{0} {1}; else addgroup{0} {1}; fi", gid, name));
}

void ask(const host::User& it, ProbeNeeds& needs) {
  needs.users.insert(it.name);
  if (it.presence == Presence::Absent) return;
  if (it.manages_keys) needs.users_with_keys.insert(it.name);
  needs.groups.insert(it.groups.begin(), it.groups.end());
}

void check(const host::User& it, Check& check) {
  const auto* fact = fact_of(it, check.shown);
  if (fact == nullptr) return check.unknown("users could not be looked up");
  const bool wanted = it.presence == Presence::Present;
  if (fact->exists != wanted) {
    return check.differs("presence", wanted ? "present" : "absent", fact->exists ? "present" : "absent");
  }
  if (!wanted) return;
  if (it.uid && *it.uid != fact->uid) check.differs("uid", fmt::format("{}", *it.uid), fmt::format("{}", fact->uid));
  if (!it.shell.empty() && it.shell != fact->shell) check.differs("shell", it.shell, fact->shell);
  if (!it.home.empty() && it.home != fact->home) check.differs("home", it.home, fact->home);
  for (const auto& group : it.groups) {
    if (!fact->groups.contains(group)) check.differs("groups", group, "not a member");
  }
  if (it.manages_keys) check_keys(it, *fact, check);
}

void correct(const host::User& it, Step& step) {
  const auto name = quote(it.name);
  if (it.presence == Presence::Absent) {
    return step.line(
        fmt::format("! known passwd {0} || if have userdel; then userdel {0}; else deluser {0}; fi", name));
  }
  const auto* fact = fact_of(it, step.shown);
  const auto options = usermod_options(it, fact);
  step.line(fmt::format("if known passwd {}; then", name));
  std::string simple = ":";
  for (const auto& group : it.groups) simple += fmt::format(" && addgroup {} {}", name, quote(group));
  step.line(options.empty() ? "  :"
                            : fmt::format("  if have usermod; then usermod{} {}; else {}; fi", options, name, simple));
  step.line("elif have useradd; then");
  make_user(it, step);
  step.line("else fail 'there is no useradd'\nfi || exit 1");
  if (it.manages_keys) correct_keys(it, step);
}

}  // namespace nimbus::reconcilers::configure
