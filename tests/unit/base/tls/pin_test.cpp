#include "base/tls/pin.hpp"

#include <doctest/doctest.h>

using namespace nimbus;
using namespace nimbus::base;

namespace {

// openssl req -x509 …; the pin below by: openssl x509 -pubkey -noout |
// openssl pkey -pubin -outform DER | openssl dgst -sha256 -binary | base64
constexpr const char* kCertificate = R"(-----BEGIN CERTIFICATE-----
MIIBfDCCASOgAwIBAgIUQ+dTVY1xNjX30g/sYVcFvYl2FwYwCgYIKoZIzj0EAwIw
EzERMA8GA1UEAwwIcGluLXRlc3QwIBcNMjYxMTIzMjA1OTM5WhgPMjEyNjEwMzAy
MDU5MzlaMBMxETAPBgNVBAMMCHBpbi10ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0D
AQcDQgAEUWk9qdl9+80eIAT58G9VrbiPkJEHwoWNxt5UppXRcH0voYNvXFtcUBnU
FdD8BE5w8D0O6ox2p+l2h6yB82z6X6NTMFEwHQYDVR0OBBYEFFk0A8/AOV8PRLJy
EnZH3sFhgZkWMB8GA1UdIwQYMBaAFFk0A8/AOV8PRLJyEnZH3sFhgZkWMA8GA1Ud
EwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIgCMiXmtsYuXqo3uoD5WZ0akmR
YtRX95qaD/blYkevt0ICIBO+hZoVUAdqDiXa3/VHRxLEdm1tPg3cUfjSD//x5h9i
-----END CERTIFICATE-----
)";
constexpr const char* kPin = "spki-sha256:1zH2kd+IwSLv4/Q1L/9aFwbu9ydj8jHoxNZMOkN/afA=";

}  // namespace

TEST_CASE("pin: as openssl computes it, and back from text") {
  const auto pin = SpkiPin::of_certificate(kCertificate);
  REQUIRE(pin.has_value());
  CHECK(pin->text() == kPin);
  CHECK(SpkiPin::parse(kPin) == *pin);
  CHECK(SpkiPin::of_certificate("text before\n" + std::string(kCertificate)) == *pin);
}

TEST_CASE("pin: what is none") {
  for (const char* bad :
       {"", "spki-sha256:", "spki-sha256:AAAA", "sha256//n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=",
        "spki-sha256:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg", "spki-sha256:!!!!"}) {
    const auto pin = SpkiPin::parse(bad);
    REQUIRE_MESSAGE(!pin, bad);
    CHECK(pin.error().code == Code::Invalid);
  }
  CHECK(SpkiPin::of_certificate("").error().code == Code::Corrupt);
  CHECK(SpkiPin::of_certificate("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").error().code ==
        Code::Corrupt);
  CHECK(SpkiPin::of_certificate(std::string(100'000, '0')).error().code == Code::Corrupt);
}
