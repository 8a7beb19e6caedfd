// The serial console of a machine that nimbusd records, for people: they see what is
// recorded, and what they type goes the same way. Thread rule: handlers run on several
// threads.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "controller/api/router.hpp"
#include "core/ports/bmc_console.hpp"
#include "core/result.hpp"

namespace nimbus::controller {

/// Errors: NotFound (nothing is recorded of this machine), Conflict (nobody has attached).
struct ConsoleAccess {
  /// Somebody looks on, and may type. Where what is kept begins.
  std::function<Result<std::int64_t>(const std::string& machine)> attach;
  /// What came since `after`; does not wait.
  std::function<Result<ConsolePiece>(const std::string& machine, std::int64_t after)> read;
  std::function<Result<>(const std::string& machine, const std::string& bytes)> type;
};

base::HttpResponse console_attach(const ConsoleAccess& consoles, const std::string& machine);
base::HttpResponse console_read(const ConsoleAccess& consoles, const ApiRequest& request);
base::HttpResponse console_type(const ConsoleAccess& consoles, const ApiRequest& request);

}  // namespace nimbus::controller
