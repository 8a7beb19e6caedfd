// What a status branch says about one instance: the document at the instance's path.
// Same rules as machine_status.hpp.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"

namespace nimbus::registry {

enum class InstancePhase : std::uint8_t {
  Pending,
  Placed,
  Installing,
  Configuring,
  Running,
  Stopped,
  Releasing,
  Failed,
};
std::string_view to_string(InstancePhase phase) noexcept;

struct InstanceStatus {
  InstancePhase phase = InstancePhase::Pending;
  std::string machine;  // empty: none
  std::vector<std::string> addresses;
  std::string message;  // what it waits for, or why it failed
  std::string ssh_command;
  std::string ssh_known_hosts;
  std::string ssh_trust;          // "provisioning-lan"
  std::string unprotected_since;  // registry commit; empty: protected
  friend bool operator==(const InstanceStatus&, const InstanceStatus&) = default;
};

std::string to_text(const InstanceStatus& status);
/// Errors: Invalid.
Result<InstanceStatus> parse_instance_status(std::string_view text, std::string_view file);

}  // namespace nimbus::registry
