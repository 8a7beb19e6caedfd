#include "drivers/ssh/keys.hpp"

#include <doctest/doctest.h>

#include "base/time/time.hpp"

namespace nimbus::ssh {
namespace {

constexpr const char* kEd25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUCIhSbDCUQNKF6RVw4QFG/TCTrRUY6Yp93v7lBGG7D";

TEST_CASE("a host key is a type and base64 of a key of that type") {
  const auto key = parse_host_key(std::string(kEd25519) + " root@web-1");
  REQUIRE(key);
  CHECK(key->type == "ssh-ed25519");
  CHECK(key->algorithms == "ssh-ed25519");
  CHECK(key->base64.starts_with("AAAAC3NzaC1lZDI1NTE5"));
}

TEST_CASE("RSA host keys are asked for with SHA-2 signatures only") {
  const auto key = parse_host_key("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAQA=");
  REQUIRE(key);
  CHECK(key->algorithms.find("ssh-rsa") == std::string::npos);
}

TEST_CASE("what is no host key is Invalid") {
  for (const char* text :
       {"", "ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5", "ssh-ed25519 not*base64", "ssh-ed25519 AAAA",
        "ssh-ed25519 /////w==", "ssh-dss AAAAB3NzaC1kc3M=",
        "ecdsa-sha2-nistp256 AAAAC3NzaC1lZDI1NTE5AAAAIHUCIhSbDCUQNKF6RVw4QFG/TCTrRUY6Yp93v7lBGG7D"}) {
    const auto key = parse_host_key(text);
    REQUIRE_FALSE_MESSAGE(key, text);
    CHECK(key.error().code == Code::Invalid);
  }
}

TEST_CASE("a driver without a readable key does not start") {
  const base::SystemClock clock;
  const auto driver = make_ssh_driver({.key = "/nonexistent/key", .certificate = {}}, clock);
  REQUIRE_FALSE(driver);
  CHECK(driver.error().text().find("/nonexistent/key") != std::string::npos);
}

}  // namespace
}  // namespace nimbus::ssh
