#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

#include <arpa/inet.h>

#include "base/secrets/file_secrets.hpp"
#include "base/text/text.hpp"

namespace nimbus::base {
namespace {

struct NumericAddress {
  std::array<std::uint8_t, 16> bytes{};
  unsigned bits = 0;  // 32 or 128
};

std::optional<NumericAddress> parse_numeric(const std::string& host) {
  NumericAddress address;
  if (::inet_pton(AF_INET, host.c_str(), address.bytes.data()) == 1) {
    address.bits = 32;
    return address;
  }
  if (::inet_pton(AF_INET6, host.c_str(), address.bytes.data()) == 1) {
    address.bits = 128;
    return address;
  }
  return std::nullopt;
}

bool in_network(const NumericAddress& address, std::string_view cidr) {
  const auto slash = cidr.find('/');
  if (slash == std::string_view::npos) return false;
  const auto network = parse_numeric(std::string(cidr.substr(0, slash)));
  const std::string_view digits = cidr.substr(slash + 1);
  unsigned length = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (error != std::errc{} || end != digits.data() + digits.size()) return false;
  if (!network || network->bits != address.bits || length > network->bits) return false;
  for (unsigned bit = 0; bit < length; ++bit) {
    const unsigned mask = 0x80U >> (bit % 8);
    if ((network->bytes[bit / 8] & mask) != (address.bytes[bit / 8] & mask)) return false;
  }
  return true;
}

}  // namespace

Destination parse_destination(std::string_view text) {
  Destination out;
  if (const auto at = text.find("://"); at != std::string_view::npos) {
    out.scheme = to_lower(text.substr(0, at));
    text.remove_prefix(at + 3);
    text = text.substr(0, text.find('/'));
    // "user@host": never part of a BMC address, and a known way to mislead readers.
    if (const auto user = text.rfind('@'); user != std::string_view::npos) text.remove_prefix(user + 1);
  }
  if (text.starts_with("[")) {
    const auto close = text.find(']');
    out.host = to_lower(text.substr(1, close == std::string_view::npos ? close : close - 1));
    if (close != std::string_view::npos && text.substr(close + 1).starts_with(":")) out.port = text.substr(close + 2);
    return out;
  }
  const auto colon = text.rfind(':');
  const bool bare_ipv6 = colon != std::string_view::npos && text.find(':') != colon;
  if (colon == std::string_view::npos || bare_ipv6) {
    out.host = to_lower(text);
  } else {
    out.host = to_lower(text.substr(0, colon));
    out.port = text.substr(colon + 1);
  }
  return out;
}

bool is_allowed_destination(std::string_view destination, const std::vector<std::string>& allow) {
  const Destination wanted = parse_destination(destination);
  if (wanted.host.empty()) return false;
  const auto numeric = parse_numeric(wanted.host);
  for (const auto& entry : allow) {
    if (numeric && entry.find("://") == std::string::npos && in_network(*numeric, entry)) return true;
    const Destination allowed = parse_destination(entry);
    if (allowed.host.empty()) continue;
    if (!allowed.scheme.empty() && allowed.scheme != wanted.scheme) continue;
    if (!allowed.port.empty() && allowed.port != wanted.port) continue;
    if (allowed.host == wanted.host) return true;
    if (!numeric && allowed.host.starts_with("*.") && wanted.host.ends_with(allowed.host.substr(1)) &&
        wanted.host.size() > allowed.host.size() - 1) {
      return true;
    }
  }
  return false;
}

}  // namespace nimbus::base
