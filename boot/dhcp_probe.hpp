// Is there another DHCP server on this network? Asks as a machine would (RFC 2131,
// DHCPDISCOVER) and listens for an offer; takes no lease.
//
// Needs the right to use port 68 and to bind to an interface. Thread rule: one thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "core/ports/clock.hpp"
#include "core/result.hpp"

namespace nimbus::boot {

/// The address of a server that made an offer within `wait`; nothing: nobody did. Ask
/// only while no server of our own runs. Errors: Internal (no such interface, no right).
Result<std::optional<std::string>> other_dhcp_server(const std::string& interface, std::chrono::milliseconds wait,
                                                     const Clock& clock);

}  // namespace nimbus::boot
