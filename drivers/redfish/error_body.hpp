// What a BMC says when it refuses: the extended error body (DSP0266, 8.6), read
// tolerantly, because it is often malformed in just the moment it matters.
//
// Thread rule: plain values, pure functions.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/http/client.hpp"
#include "core/result.hpp"
#include "core/secret.hpp"

namespace nimbus::redfish {

struct ErrorMessage {
  std::string id;                       // "Base.1.8.ActionParameterNotSupported", as sent
  std::string text;                     // as sent: make it printable before showing it
  std::string severity;                 // "Critical", "Warning", "OK" or whatever was sent
  std::vector<std::string> about = {};  // RelatedProperties and MessageArgs, in lower case, at most 16
};

struct ErrorBody {
  std::vector<ErrorMessage> messages;  // worst first, at most 16

  /// Whether a MessageId ends in this name, whatever its registry and version.
  bool has(std::string_view name) const noexcept;
  /// Whether one of the texts contains `words`, whatever the case.
  bool says(std::string_view words) const noexcept;
  /// Whether one of the messages is about this property or parameter, by its
  /// RelatedProperties or MessageArgs, whatever the case. `name` in lower case.
  bool names(std::string_view name) const noexcept;
  /// The worst message for people: one printable line, bounded, may be empty.
  std::string text() const;
};

/// Accepts anything: JSON with ExtendedInfo as list, object or keyed object, at the
/// top or below "error"; text that only claims to be JSON; nothing at all.
ErrorBody parse_error_body(std::string_view body);

/// Seconds of a Retry-After header (RFC 9110, 10.2.3); dates are not read. At most a
/// day.
std::optional<std::chrono::seconds> retry_after(const base::ClientResponse& response);

/// 200 to 299.
bool is_success(int status) noexcept;

/// What an answer that is no success means, with the BMC's own words.
Error refusal(const base::ClientResponse& response, const ErrorBody& body);

/// The same, should the BMC have repeated the secret in its answer: without it.
Error without_secret(Error error, const Secret& secret);

}  // namespace nimbus::redfish
