// Origin: where a BMC is, and which of the addresses that it gives us lie there.
//
// Links ("@odata.id", "Location") come from the device and are followed on its own
// origin only: anything else could carry credentials elsewhere. Links are opaque
// (DSP0266, 6.1): never built, never normalised. Thread rule: a plain value.
#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"

namespace nimbus::redfish {

class Origin {
 public:
  /// "https://host", "https://host:port", with or without a '/' behind it. Errors:
  /// Invalid.
  static Result<Origin> parse(std::string_view address);

  /// "https://host:port" in lower case.
  const std::string& text() const noexcept { return text_; }

  /// The request target for a link: a path, or an absolute address on this origin.
  /// A fragment is cut off. Errors: Corrupt (elsewhere, too long, control characters).
  Result<std::string> target(std::string_view link) const;

  friend bool operator==(const Origin&, const Origin&) = default;

 private:
  std::string text_;
};

}  // namespace nimbus::redfish
