// What nimbusctl's exit codes mean; `nimbusctl help exit-codes` lists them.
#pragma once

namespace nimbus::cli {

enum class Exit : int {
  Ok = 0,
  Error = 1,    // anything without a code of its own
  Changes = 2,  // plan --exit-code, fmt --check: there is something to do
  Invalid = 3,  // the registry breaks a rule
  Denied = 4,   // nimbusd does not allow it
  NotFound = 5,
  Conflict = 6,     // somebody changed it first
  Unreachable = 9,  // nimbusd does not answer
  Usage = 64,
};

}  // namespace nimbus::cli
