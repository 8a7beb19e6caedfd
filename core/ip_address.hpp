// IP addresses and networks as values: no name is ever looked up here. Pure.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nimbus {

/// IPv4 lies in the last four bytes; `v6` tells the two apart.
struct IpAddress {
  bool v6 = false;
  std::array<std::uint8_t, 16> bytes{};
  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;
};

struct IpNetwork {
  IpAddress first;
  IpAddress last;
  int prefix = 0;
  bool contains(const IpAddress& address) const noexcept {
    return address.v6 == first.v6 && first <= address && address <= last;
  }
  bool overlaps(const IpNetwork& other) const noexcept {
    return first.v6 == other.first.v6 && first <= other.last && other.first <= last;
  }
};

/// Strict: four decimal numbers without leading zeros, or RFC 4291 text without zone.
std::optional<IpAddress> parse_ip(std::string_view text) noexcept;
/// Loopback, link-local, multicast, or none at all: nothing that another machine offers
/// lies there. An IPv4 address in IPv6 clothes counts as what it is.
bool is_special(const IpAddress& address) noexcept;
/// ::ffff:192.0.2.1 as 192.0.2.1; others as they are.
IpAddress plain(const IpAddress& address) noexcept;
/// "10.20.0.0/24"; bits outside the prefix must be zero.
std::optional<IpNetwork> parse_cidr(std::string_view text) noexcept;
/// As parse_cidr reads it.
std::string to_text(const IpNetwork& network);

/// Networks that all of these addresses lie in, in order: one for each address, or, if they
/// would be more than `most` of a family, wider ones that take in what lies between
/// neighbours; those with the most bits in common first.
std::vector<IpNetwork> cover(std::vector<IpAddress> addresses, std::size_t most);

}  // namespace nimbus
