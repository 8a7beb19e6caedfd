// Who the machine behind a BMC is: read once per session, and anew before each write.
// Thread rule: one thread at a time per machine.
#pragma once

#include <cstdint>
#include <optional>

#include "core/call.hpp"
#include "core/identity.hpp"
#include "core/ports/bmc.hpp"

namespace nimbus::controller {

struct IdentityMemory {
  unsigned long session = 0;         // that `identity` was read on
  std::optional<Identity> identity;  // nothing: not read, or not on this connection
};

enum class Freshness : std::uint8_t { OncePerSession, Now };

/// Whether the machine is `declared`. An identity that cannot be read is a verdict
/// ("observe only"), not an error.
IdentityMatch identify(Bmc& bmc, const Identity& declared, Freshness freshness, IdentityMemory& memory,
                       const Call& call);

}  // namespace nimbus::controller
