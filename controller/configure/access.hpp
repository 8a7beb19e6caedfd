// The controller's access to hosts: remembered while it is used, taken away when nobody
// wants the host to be configured any more. Pure, but for the store.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "core/ports/host.hpp"
#include "core/result.hpp"

namespace nimbus::controller {

struct HostAccess {
  std::string instance, path, machine;
  bool adopted = false;
  HostEndpoint endpoint;
  friend bool operator==(const HostAccess&, const HostAccess&) = default;
};

/// Durable on return.
struct AccessStore {
  std::function<Result<>(const HostAccess&)> keep;
  std::function<Result<>(const std::string& instance)> forget;
  std::function<Result<std::map<std::string, HostAccess>>()> all;  // by instance
};

std::string to_json(const HostAccess& access);
/// Errors: Corrupt.
Result<HostAccess> parse_access(std::string_view json);

/// Accounts that Nimbus made have this as their name for people; others stay.
inline constexpr const char* kAccountName = "Nimbus controller";
inline constexpr const char* kSudoersFile = "/etc/sudoers.d/nimbus-access";

/// Takes `public_key` out of the account's authorized keys, and the account and its sudo rule
/// away if Nimbus made them. Run as root, in a session of that account. May be repeated.
std::string removal_script(const std::string& user, const std::string& public_key);

}  // namespace nimbus::controller
