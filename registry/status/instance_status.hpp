// What a status branch says about one instance: the document at the instance's path.
// Same rules as machine_status.hpp.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"
#include "registry/status/condition.hpp"
#include "registry/status/drift_record.hpp"

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

/// A resource of the host that could not be brought about.
struct FailedResource {
  std::string resource;  // "package:nginx"
  std::string reason;
  friend bool operator==(const FailedResource&, const FailedResource&) = default;
};

/// Of the host that the instance runs on: what its profiles ask for, and what was seen.
struct ConfigurationRecord {
  static constexpr std::size_t kDrifts = 50;
  static constexpr std::size_t kFailed = 50;

  std::string mode;            // "observe", "enforce"; "none": it was configured once
  std::string applied_digest;  // of all files that define it, as last seen to be so; empty: never
  std::string desired_digest;
  std::vector<DriftRecord> drifts;
  std::vector<FailedResource> failed;
  friend bool operator==(const ConfigurationRecord&, const ConfigurationRecord&) = default;
};

struct InstanceStatus {
  InstancePhase phase = InstancePhase::Pending;
  std::string machine;  // empty: none
  std::vector<std::string> addresses;
  std::string message;               // what it waits for, or why it failed
  std::vector<std::string> console;  // what the machine printed last, if it failed
  std::string ssh_command;
  std::string ssh_known_hosts;
  std::string ssh_trust;          // "provisioning-lan"
  std::string unprotected_since;  // registry commit; empty: protected
  Conditions conditions = {};     // "configured", "reachable", "host-key", "access"
  std::optional<ConfigurationRecord> configuration = {};
  friend bool operator==(const InstanceStatus&, const InstanceStatus&) = default;
};

std::string to_text(const InstanceStatus& status);
/// Errors: Invalid.
Result<InstanceStatus> parse_instance_status(std::string_view text, std::string_view file);

}  // namespace nimbus::registry
