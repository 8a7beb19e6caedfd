// The serial console of one BMC, in a session of its own beside the one that is kept for
// questions and writes. Encrypted and authenticated like everything else.
#pragma once

#include <memory>

#include "core/call.hpp"
#include "core/ports/bmc_console.hpp"
#include "core/result.hpp"
#include "drivers/ipmi/client.hpp"
#include "drivers/ipmi/engine.hpp"

namespace nimbus::ipmi {

/// As BmcConsole::open_console. `client` must have no session yet; the console owns it.
/// Errors: also Unsupported (no SOL, or not for this user).
Result<std::unique_ptr<ConsoleSession>> open_sol(Engine& engine, std::unique_ptr<Client> client, const Call& call);

}  // namespace nimbus::ipmi
