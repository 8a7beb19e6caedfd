// Which host key an SSH server can prove to have: one connection, two round trips, no
// login. Costs a fraction of a millisecond of CPU, where starting the ssh program costs a
// hundred times that.
//
// Thread rule: safe from any thread.
#pragma once

#include "base/crypto/ed25519.hpp"
#include "base/net/socket_address.hpp"
#include "core/call.hpp"
#include "core/ports/clock.hpp"
#include "core/result.hpp"

namespace nimbus::base {

/// Errors: those of HostKeyExchange; Unreachable, Timeout, Cancelled, Invalid (address).
Result<Ed25519Public> ssh_host_key(const HostPort& where, const Call& call, const Clock& clock);

/// The key of "ssh-ed25519 AAAA… comment". Errors: Invalid.
Result<Ed25519Public> parse_openssh_public(std::string_view line);

}  // namespace nimbus::base
