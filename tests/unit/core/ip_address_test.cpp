#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

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

namespace {

std::vector<std::string> covered(const std::vector<std::string>& addresses, std::size_t most) {
  std::vector<IpAddress> parsed;
  for (const auto& text : addresses) {
    const auto address = parse_ip(text);
    REQUIRE(address);
    parsed.push_back(*address);
  }
  std::vector<std::string> out;
  for (const auto& network : cover(parsed, most)) {
    CAPTURE(to_text(network));
    const auto read = parse_cidr(to_text(network));
    REQUIRE(read);
    CHECK(read->first == network.first);
    CHECK(read->last == network.last);
    out.push_back(to_text(network));
  }
  return out;
}

}  // namespace

TEST_CASE("a few addresses are covered by themselves, many by what lies around neighbours") {
  using Texts = std::vector<std::string>;
  CHECK(covered({}, 4).empty());
  CHECK(covered({"10.0.0.9", "10.0.0.1", "10.0.0.9", "::ffff:10.0.0.9", "2001:db8::1"}, 2) ==
        Texts{"10.0.0.1/32", "10.0.0.9/32", "2001:db8::1/128"});
  // The nearest first, and no more than is needed.
  CHECK(covered({"10.0.0.8", "10.0.0.9", "10.0.1.1", "10.200.0.1"}, 3) ==
        Texts{"10.0.0.8/31", "10.0.1.1/32", "10.200.0.1/32"});
  CHECK(covered({"10.0.0.8", "10.0.0.9", "10.0.1.1", "10.200.0.1"}, 2) == Texts{"10.0.0.0/23", "10.200.0.1/32"});
  CHECK(covered({"10.0.0.8", "10.0.0.9", "10.0.1.1", "10.200.0.1"}, 1) == Texts{"10.0.0.0/8"});
  CHECK(covered({"1.0.0.1", "200.0.0.1"}, 1) == Texts{"0.0.0.0/0"});
  // One family does not widen the other.
  CHECK(covered({"10.0.0.1", "192.0.2.1", "2001:db8::1", "2001:db8:0:1::1", "fd00::1"}, 2) ==
        Texts{"10.0.0.1/32", "192.0.2.1/32", "2001:db8::/63", "fd00::1/128"});
}

TEST_CASE("however many addresses there are: all are covered, by so many networks at most") {
  std::vector<IpAddress> addresses;
  std::uint32_t value = 1;
  for (int i = 0; i < 10'000; ++i) {
    value = value * 1664525U + 1013904223U;
    IpAddress address;
    for (unsigned at = 0; at < 4; ++at) address.bytes[12 + at] = static_cast<std::uint8_t>(value >> (24U - 8U * at));
    if (i % 2 != 0) address.bytes[12] = 10;  // near each other
    addresses.push_back(address);
  }
  const auto networks = cover(addresses, 256);
  CHECK(networks.size() <= 256);
  for (const auto& address : addresses) {
    if (std::none_of(networks.begin(), networks.end(), [&](const auto& n) { return n.contains(address); }))
      FAIL("an address is not covered");
  }
  for (std::size_t i = 1; i < networks.size(); ++i) CHECK_FALSE(networks[i - 1].overlaps(networks[i]));
}
