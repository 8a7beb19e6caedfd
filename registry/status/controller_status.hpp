// What a status branch says about its controller: the document "status.toml".
// Same rules as machine_status.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace nimbus::registry {

inline constexpr std::string_view kControllerStatusPath = "status.toml";

enum class RegistryState : std::uint8_t { Accepted, Partly, Refused, Held };
std::string_view to_string(RegistryState state) noexcept;

/// A fault in a registry file.
struct StatusProblem {
  std::string file;
  std::int64_t line = 0;
  std::int64_t column = 0;
  std::string code;  // "unknown-key"
  std::string message;
  friend bool operator==(const StatusProblem&, const StatusProblem&) = default;
};

/// The head of the controller's audit log: kept here, it cannot be rewritten there.
struct AuditAnchor {
  std::uint64_t records = 0;  // 0: none
  std::string head;           // hash of the last of them
  friend bool operator==(const AuditAnchor&, const AuditAnchor&) = default;
};

struct ControllerStatus {
  /// What is beyond is counted in one last problem with the code "more".
  static constexpr std::size_t kProblems = 100;

  std::string id;               // "berlin-1/ctl-1"
  std::uint64_t term = 0;       // at least 1
  std::string accepted_commit;  // empty: none yet
  std::string observed_commit;  // newest seen; empty: none yet
  RegistryState state = RegistryState::Accepted;
  std::string held_plan;  // digest of the plan that waits for an approval; empty: none
  std::vector<StatusProblem> problems;
  AuditAnchor audit;

  friend bool operator==(const ControllerStatus&, const ControllerStatus&) = default;
};

std::string to_text(const ControllerStatus& status);

/// Errors: Invalid; Unsupported (another format than 1: a newer program wrote it).
Result<ControllerStatus> parse_controller_status(std::string_view text);

}  // namespace nimbus::registry
