// Pins: how a TLS peer is known without a certificate authority. A pin is the
// SHA-256 of the certificate's SubjectPublicKeyInfo (RFC 7469, section 2.4), so it
// outlives a renewed certificate with the same key; names and dates of the
// certificate do not count.
//
// Thread rule: plain values; the functions are safe from any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace nimbus::base {

class SpkiPin {
 public:
  /// "spki-sha256:<base64 of 32 bytes>". Errors: Invalid.
  static Result<SpkiPin> parse(std::string_view text);
  /// Of the first certificate in `certificate`: PEM, or DER as a whole. At most
  /// 64 KiB are read. Errors: Corrupt.
  static Result<SpkiPin> of_certificate(std::string_view certificate);

  /// "spki-sha256:…", as the registry writes it.
  std::string text() const { return "spki-sha256:" + base64(); }
  std::string base64() const;

  friend bool operator==(const SpkiPin&, const SpkiPin&) = default;

 private:
  std::array<std::uint8_t, 32> digest_{};
};

/// SHA-256 of the whole certificate as people compare it: "AB:CD:…", 32 bytes in capital hex. `certificate` as
/// for SpkiPin::of_certificate. Errors: Corrupt.
Result<std::string> certificate_fingerprint(std::string_view certificate);

}  // namespace nimbus::base
