// The fleet's certificate: one for all machines, made when it is not there yet.
#pragma once

#include <string>

#include "base/tls/server_context.hpp"
#include "simulator/fleet/fleet_file.hpp"

namespace nimbus::simulator {

/// Read from the fleet's certificate folder (cert.pem, key.pem), or made and, if there
/// is such a folder, written there. Errors: those of files and TLS.
Result<base::TlsIdentity> fleet_certificate(const FleetFile& fleet);

}  // namespace nimbus::simulator
