#include "core/ip_address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

namespace nimbus {
namespace {

constexpr int kBits = 128;
constexpr int bits_of(bool v6) { return v6 ? kBits : 32; }

/// The first bit, counted from the front of the address, that is another.
int bits_in_common(const IpAddress& a, const IpAddress& b) {
  const int begin = kBits - bits_of(a.v6);
  for (int bit = begin; bit < kBits; ++bit) {
    const auto at = static_cast<std::size_t>(bit / 8);
    const unsigned mask = 0x80U >> static_cast<unsigned>(bit % 8);
    if (((static_cast<unsigned>(a.bytes[at]) ^ b.bytes[at]) & mask) != 0) return bit - begin;
  }
  return bits_of(a.v6);
}

IpNetwork network_around(const IpAddress& address, int prefix) {
  IpNetwork out{address, address, prefix};
  for (int bit = kBits - bits_of(address.v6) + prefix; bit < kBits; ++bit) {
    const auto at = static_cast<std::size_t>(bit / 8);
    const unsigned mask = 0x80U >> static_cast<unsigned>(bit % 8);
    out.first.bytes[at] = static_cast<std::uint8_t>(out.first.bytes[at] & ~mask);
    out.last.bytes[at] = static_cast<std::uint8_t>(out.last.bytes[at] | mask);
  }
  return out;
}

/// Of one family, in order and apart.
void widen(std::vector<IpNetwork>& networks, std::size_t most) {
  if (networks.empty()) return;
  for (int prefix = bits_of(networks[0].first.v6) - 1; prefix >= 0 && networks.size() > most; --prefix) {
    std::vector<IpNetwork> next;
    std::size_t left = networks.size();
    for (const auto& network : networks) {
      const bool joins = left > most && !next.empty() && bits_in_common(next.back().first, network.first) >= prefix;
      if (joins) {
        next.back() = network_around(network.first, prefix);
        --left;
      } else {
        next.push_back(network);
      }
    }
    networks = std::move(next);
  }
}

}  // namespace

std::string to_text(const IpNetwork& network) {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  const auto& bytes = network.first.bytes;
  const bool v6 = network.first.v6;
  inet_ntop(v6 ? AF_INET6 : AF_INET, bytes.data() + (v6 ? 0 : 12), buffer.data(), buffer.size());
  return std::string(buffer.data()) + "/" + std::to_string(network.prefix);
}

std::vector<IpNetwork> cover(std::vector<IpAddress> addresses, std::size_t most) {
  for (auto& address : addresses) address = plain(address);
  std::sort(addresses.begin(), addresses.end());
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
  std::array<std::vector<IpNetwork>, 2> families;
  for (const auto& address : addresses) families[address.v6 ? 1 : 0].push_back({address, address, bits_of(address.v6)});
  for (auto& family : families) widen(family, most);
  families[0].insert(families[0].end(), families[1].begin(), families[1].end());
  return std::move(families[0]);
}

std::optional<IpAddress> parse_ip(std::string_view text) noexcept {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  if (text.empty() || text.size() >= buffer.size()) return std::nullopt;
  std::copy(text.begin(), text.end(), buffer.begin());
  IpAddress out;
  if (text.find(':') == std::string_view::npos) {
    // inet_pton takes "01.2.3.4" on some systems; an octal look-alike is an error here.
    for (std::size_t at = 0; at < text.size(); ++at) {
      const bool begin = at == 0 || text[at - 1] == '.';
      if (begin && text[at] == '0' && at + 1 < text.size() && text[at + 1] != '.') return std::nullopt;
    }
    if (inet_pton(AF_INET, buffer.data(), out.bytes.data() + 12) != 1) return std::nullopt;
    return out;
  }
  out.v6 = true;
  if (inet_pton(AF_INET6, buffer.data(), out.bytes.data()) != 1) return std::nullopt;
  return out;
}

std::optional<IpNetwork> parse_cidr(std::string_view text) noexcept {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto address = parse_ip(text.substr(0, slash));
  const auto digits = text.substr(slash + 1);
  if (!address || digits.empty() || digits.size() > 3 || (digits.size() > 1 && digits[0] == '0')) return std::nullopt;
  int prefix = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    prefix = prefix * 10 + (c - '0');
  }
  if (prefix > (address->v6 ? 128 : 32)) return std::nullopt;

  IpNetwork out{*address, *address, prefix};
  const int begin = (address->v6 ? 0 : 96) + prefix;
  for (int bit = begin; bit < 128; ++bit) {
    const auto mask = static_cast<std::uint8_t>(0x80U >> static_cast<unsigned>(bit % 8));
    auto& byte = out.last.bytes[static_cast<std::size_t>(bit / 8)];
    if ((byte & mask) != 0) return std::nullopt;
    byte = static_cast<std::uint8_t>(byte | mask);
  }
  return out;
}

IpAddress plain(const IpAddress& address) noexcept {
  constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  if (!address.v6 || !std::equal(kMapped.begin(), kMapped.end(), address.bytes.begin())) return address;
  IpAddress out;
  std::copy(address.bytes.begin() + 12, address.bytes.end(), out.bytes.begin() + 12);
  return out;
}

bool is_special(const IpAddress& address) noexcept {
  const IpAddress here = plain(address);
  const auto& bytes = here.bytes;
  if (!here.v6) {
    const std::uint8_t first = bytes[12];
    return first == 0 || first == 127 || first >= 224 || (first == 169 && bytes[13] == 254);
  }
  const bool zeros = std::all_of(bytes.begin(), bytes.end() - 1, [](std::uint8_t byte) { return byte == 0; });
  return (zeros && bytes[15] <= 1) || bytes[0] == 0xFF || (bytes[0] == 0xFE && (bytes[1] & 0xC0U) == 0x80U);
}

}  // namespace nimbus
