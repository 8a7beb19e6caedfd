// The secrets port. A secret is bound to the addresses that it may be sent to;
// asking for one names the destination.
#pragma once

#include <string_view>

#include "core/endpoint.hpp"
#include "core/result.hpp"

namespace nimbus {

/// Thread rule: safe from any thread.
class Secrets {
 public:
  virtual ~Secrets() = default;
  /// The credential `name`, to be sent to `destination` ("host", "host:port" or
  /// an https URL). Errors: NotFound (no such secret), Untrusted (the secret is
  /// not bound to that address), Invalid (the stored secret is malformed).
  virtual Result<Credential> credential(std::string_view name, std::string_view destination) const = 0;
};

}  // namespace nimbus
