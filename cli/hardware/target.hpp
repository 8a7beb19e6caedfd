// The BMC that a command is about: an address with flags, or a machine of the registry.
#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "cli/context.hpp"
#include "cli/hardware/credentials.hpp"
#include "core/call.hpp"
#include "core/endpoint.hpp"
#include "core/identity.hpp"

namespace nimbus::cli {

struct BmcTarget {
  BmcEndpoint endpoint;
  std::string file;                        // of the machine in the registry; empty: an address
  std::string folder;                      // of the registry
  Identity declared;                       // by the machine's file
  std::map<std::string, std::string> cas;  // for the drivers
};

/// From ADDRESS alone. Errors: Invalid, NotFound.
Result<BmcTarget> plain_target(Context& context);
/// From ADDRESS and the flags, which win over the machine's file. The credentials are
/// still without those of the command line. Errors: Invalid, NotFound.
Result<BmcTarget> bmc_target(Context& context);

/// Trust in a Redfish BMC that nobody named a key for: with --accept-new-key its own, as
/// it shows it now. Prints the key. Errors: Untrusted (without that flag).
Result<> settle_trust(Context& context, BmcTarget& target, const Call& call);

/// What a Redfish BMC shows at its door, for a person to compare.
struct ShownKey {
  std::string pin;
  std::string fingerprint;  // SHA-256 of the certificate, as BMCs show it on their own pages
};
/// Nothing but a TLS handshake. Errors: as base::fetch_certificate.
Result<ShownKey> shown_key(const std::string& address, const Call& call);

/// The deadline that --timeout gives, from now on.
Call call_of(const Context& context, std::stop_token stop = {});

/// "10.1.0.17" or "bmc.example": as Redfish wants it written.
std::string https_address(const std::string& address);

}  // namespace nimbus::cli
