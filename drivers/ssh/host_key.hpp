// Whether an SSH server has a host key: one connection, no login. What an install ends with.
// Thread rule: safe from any thread.
#pragma once

#include <string>

#include "core/call.hpp"
#include "core/ports/clock.hpp"
#include "core/result.hpp"

namespace nimbus::ssh {

/// The server at `address` (host or host:port) has proven to have `host_key` ("ssh-ed25519 AAAA…").
/// Errors: Untrusted (it proved another one, or has none of that type), Invalid (`host_key` is none),
/// Unreachable, Timeout, Cancelled, Corrupt (no SSH).
Result<> prove_host_key(const std::string& address, const std::string& host_key, const Call& call, const Clock& clock);

}  // namespace nimbus::ssh
