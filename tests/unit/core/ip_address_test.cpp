#include <doctest/doctest.h>

#include "core/ip_address.hpp"

using namespace nimbus;

TEST_CASE("addresses that no other machine has") {
  for (const auto* special :
       {"127.0.0.1", "127.255.0.9", "0.0.0.0", "0.1.2.3", "169.254.169.254", "224.0.0.1", "255.255.255.255", "::1",
        "::", "fe80::1", "febf::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.0.1"}) {
    CAPTURE(special);
    const auto address = parse_ip(special);
    REQUIRE(address);
    CHECK(is_special(*address));
  }
  for (const auto* common : {"10.0.0.1", "192.0.2.7", "169.253.0.1", "223.255.255.255", "2001:db8::1", "fd00::1",
                             "fec0::1", "::ffff:10.0.0.1"}) {
    CAPTURE(common);
    const auto address = parse_ip(common);
    REQUIRE(address);
    CHECK_FALSE(is_special(*address));
  }
}

TEST_CASE("an IPv4 address in IPv6 clothes lies in its IPv4 network") {
  const auto network = parse_cidr("10.20.0.0/24");
  const auto mapped = parse_ip("::ffff:10.20.0.9");
  REQUIRE(network);
  REQUIRE(mapped);
  CHECK_FALSE(network->contains(*mapped));
  CHECK(network->contains(plain(*mapped)));
  CHECK(plain(*parse_ip("2001:db8::1")) == *parse_ip("2001:db8::1"));
}
