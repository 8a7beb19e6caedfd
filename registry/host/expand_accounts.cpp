// Groups, users, their keys, sudo; who may log in, and Nimbus among them.
#include <algorithm>

#include <fmt/core.h>

#include "registry/host/expansion.hpp"

namespace nimbus::registry {
namespace {

constexpr std::string_view kVisudo = "visudo -cf {file}";

void add_missing(std::vector<std::string>& into, const std::vector<std::string>& keys) {
  for (const auto& key : keys) {
    if (std::ranges::find(into, key) == into.end()) into.push_back(key);
  }
}

std::vector<std::string> sudo_of(std::string_view account, std::string_view how) {
  if (how.empty()) return {};
  return {fmt::format("{} ALL=(ALL:ALL) {}ALL", account, how == "nopasswd" ? "NOPASSWD: " : "")};
}

}  // namespace

void Expansion::groups() {
  for (const auto& row : in_.profile.groups) {
    const auto presence = row.state == RowState::Absent ? host::Presence::Absent : host::Presence::Present;
    add(host::Group{row.name, presence, row.gid}, place("group", row.name));
  }
}

void Expansion::users() {
  for (const auto& row : in_.profile.users) {
    const auto where = place("user", row.name);
    host::User user;
    user.name = row.name;
    if (row.state == RowState::Absent) {
      user.presence = host::Presence::Absent;
      add(std::move(user), where);
      continue;
    }
    user.uid = row.uid;
    user.groups = row.groups;
    user.shell = row.shell;
    user.home = row.home;
    user.ssh_keys = keys_of(row.ssh_keys, where);
    user.exclusive_keys = row.keys == KeyMode::Exclusive;
    user.manages_keys = user.exclusive_keys || !user.ssh_keys.empty();
    add(std::move(user), where);
    add_sudo("user-" + row.name, sudo_of(row.name, row.sudo), where);
  }
}

void Expansion::add_sudo(std::string_view name, const std::vector<std::string>& lines, const Place& place) {
  if (lines.empty()) return;
  std::string text = "# Written by Nimbus.\n";
  for (const auto& line : lines) text += line + "\n";
  auto& resource = add_file(fmt::format("/etc/sudoers.d/nimbus-{}", name), std::move(text), place, "0440");
  std::get<host::File>(resource.wanted).validate = kVisudo;
}

void Expansion::sudoers() {
  for (const auto& row : in_.profile.sudoers) {
    if (row.name == "access") {
      fail(place("sudoers", row.name), ProblemCode::Conflict,
           "sudoers 'access' would replace the rule by which Nimbus becomes root; take another name");
    } else if (row.state == RowState::Present) {
      add_sudo(row.name, row.rules, place("sudoers", row.name));
    }
  }
}

host::User& Expansion::user(std::string_view name, const Place& place) {
  if (auto* known = find(fmt::format("user:{}", name))) return std::get<host::User>(known->wanted);
  host::User user;
  user.name = name;
  return std::get<host::User>(add(std::move(user), place).wanted);
}

void Expansion::access() {
  const auto& instance = in_.instance.value;
  const auto& access = instance.access;
  auto name = access.user;
  if (name.empty()) {
    const auto* image = find_image(in_.sources.snapshot, in_.instance.tenant, instance.provider, instance.image);
    if (image != nullptr) name = image->value.default_user;
  }
  // Without a word about access the keys of an adopted host are not ours to remove.
  const bool said = !access.user.empty() || !access.ssh_keys.empty();
  if (said && access.manage == ManageAccess::Sync && !name.empty()) {
    auto& account = user(name, own_place());
    add_missing(account.ssh_keys, keys_of(access.ssh_keys, own_place()));
    account.manages_keys = account.exclusive_keys = true;
    if (account.presence == host::Presence::Absent) {
      fail(own_place(), ProblemCode::Conflict, fmt::format("[access] lets '{}' in, and a profile removes it", name));
    }
  }
  const auto& ours = in_.sources.access;
  if (!ours) return;
  if (!ours->wanted) {
    // A shared account simply no longer names our key: it stays where keys are not exclusive.
    if (ours->own_account) user(ours->user, own_place()).presence = host::Presence::Absent;
    return;
  }
  auto& account = user(ours->user, own_place());
  if (account.presence == host::Presence::Absent) {
    fail(own_place(), ProblemCode::Conflict,
         fmt::format("Nimbus logs in as '{}', and a profile removes it", ours->user));
    return;
  }
  add_missing(account.ssh_keys, ours->ssh_keys);
  account.manages_keys = true;
  if (!ours->own_account) return;
  account.exclusive_keys = true;
  add_sudo("access", sudo_of(ours->user, "nopasswd"), own_place());
}

}  // namespace nimbus::registry
