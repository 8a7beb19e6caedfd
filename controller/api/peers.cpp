#include "controller/api/peers.hpp"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/core.h>

namespace nimbus::controller {
namespace {

constexpr std::size_t kRoom = 16 * 1024;  // for one entry of passwd or group
/// What a user namespace shows of people whom it does not know: everybody else.
constexpr std::uint32_t kOverflowId = 65'534;

std::optional<std::uint32_t> user_of(const std::string& name) {
  std::array<char, kRoom> room{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwnam_r(name.c_str(), &entry, room.data(), room.size(), &found) != 0 || found == nullptr)
    return std::nullopt;
  return entry.pw_uid;
}

std::optional<std::uint32_t> group_of(const std::string& name) {
  std::array<char, kRoom> room{};
  group entry{};
  group* found = nullptr;
  if (::getgrnam_r(name.c_str(), &entry, room.data(), room.size(), &found) != 0 || found == nullptr)
    return std::nullopt;
  return entry.gr_gid;
}

}  // namespace

Result<PeerPolicy> PeerPolicy::make(const std::vector<std::string>& users, const std::vector<std::string>& groups) {
  PeerPolicy policy;
  policy.users_ = {0, ::geteuid()};
  for (const auto& name : users) {
    const auto id = user_of(name);
    if (!id || *id == kOverflowId)
      return Error{Code::NotFound, fmt::format("control.users: there is no user \"{}\"", name)};
    policy.users_.insert(*id);
  }
  for (const auto& name : groups) {
    const auto id = group_of(name);
    if (!id || *id == kOverflowId)
      return Error{Code::NotFound, fmt::format("control.groups: there is no group \"{}\"", name)};
    policy.groups_.insert(*id);
  }
  return policy;
}

bool PeerPolicy::may_change(const base::PeerCredentials& peer) const {
  if (users_.contains(peer.user)) return true;
  return std::ranges::any_of(peer.groups, [&](std::uint32_t id) { return groups_.contains(id); });
}

std::string describe_peer(const base::PeerCredentials& peer) {
  std::array<char, kRoom> room{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(peer.user, &entry, room.data(), room.size(), &found) != 0 || found == nullptr) {
    return fmt::format("uid {}", peer.user);
  }
  return fmt::format("{} (uid {})", entry.pw_name, peer.user);
}

}  // namespace nimbus::controller
