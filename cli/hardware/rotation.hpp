// Rotation: a BMC gets a new account and password, step by step, so that the secret on
// disk always holds what works.
//
//   NAME-next   the new credential, stored before the account is made
//   NAME        from the old to the new credential in one rename, after a login proved it
//   NAME-old    the old one, kept until its account is disabled
//
// Whatever step a run was ended at, the next run sees it from these files and goes on:
// every step may be repeated. Thread rule: one run per secret at a time (a lock file).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/secrets/file_secrets.hpp"
#include "core/call.hpp"
#include "core/ports/bmc.hpp"
#include "core/ports/clock.hpp"

namespace nimbus::cli {

struct RotationPlan {
  std::string path;     // of the secret's file
  std::string address;  // of the BMC
  Identity declared;    // empty: not known
  /// A Bmc that logs in with this credential and no other.
  std::function<Result<std::unique_ptr<Bmc>>(const Credential&)> attach;
  std::function<void(const std::string&)> say;
  const Clock& clock;
};

/// Errors: Invalid (a secret that other addresses share), Conflict (another run), those
/// of the BMC. The secret works in any case.
Result<> rotate(const RotationPlan& plan, const Call& call);

/// "nimbus" → "nimbus-a" → "nimbus-b" → "nimbus-a"; at most 16 bytes.
std::string next_username(const std::string& username);

}  // namespace nimbus::cli
