#include "base/net/socket_address.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <system_error>

namespace nimbus::base {
namespace {

constexpr std::size_t kMaxHostLength = 253;  // RFC 1035, section 2.3.4, as text

bool is_host_character(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

bool is_ipv6(std::string_view text) {
  in6_addr ignored{};
  // inet_pton reads up to a NUL; what stands behind it would pass unseen.
  return text.find('\0') == std::string_view::npos && inet_pton(AF_INET6, std::string(text).c_str(), &ignored) == 1;
}

bool is_host_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= kMaxHostLength && text.front() != '-' && text.front() != '.' &&
         std::all_of(text.begin(), text.end(), is_host_character);
}

std::optional<std::uint16_t> parse_port(std::string_view text) noexcept {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

Error bad_address(const std::string& why) { return Error{Code::Invalid, "not a host and port: " + why}; }

struct AddrInfoFree {
  void operator()(addrinfo* list) const noexcept { freeaddrinfo(list); }
};

/// getaddrinfo with the given flags; `status` gets its return value.
std::vector<SocketAddress> lookup(const HostPort& where, int flags, int& status) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_DGRAM;  // one entry per address, not one per protocol
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* raw = nullptr;
  status = getaddrinfo(where.host.c_str(), std::to_string(where.port).c_str(), &hints, &raw);
  const std::unique_ptr<addrinfo, AddrInfoFree> list(status == 0 ? raw : nullptr);
  std::vector<SocketAddress> out;
  for (const addrinfo* entry = list.get(); entry != nullptr; entry = entry->ai_next) {
    out.emplace_back(entry->ai_addr, entry->ai_addrlen);
  }
  return out;
}

}  // namespace

std::string HostPort::text() const {
  const bool brackets = host.find(':') != std::string::npos;
  return (brackets ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<HostPort> parse_host_port(std::string_view text, std::uint16_t default_port) {
  HostPort out{.host = {}, .port = default_port};
  std::string_view port_text;
  bool has_port = false;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return bad_address("'[' without ']'");
    if (!is_ipv6(text.substr(1, close - 1))) return bad_address("no IPv6 address between the brackets");
    out.host = text.substr(1, close - 1);
    const auto rest = text.substr(close + 1);
    if (!rest.empty() && rest.front() != ':') return bad_address("expected ':' after ']'");
    has_port = !rest.empty();
    if (has_port) port_text = rest.substr(1);
  } else if (std::count(text.begin(), text.end(), ':') > 1) {
    if (!is_ipv6(text)) return bad_address("more than one ':' and no IPv6 address");
    out.host = text;
  } else {
    const auto colon = text.find(':');
    has_port = colon != std::string_view::npos;
    out.host = text.substr(0, colon);
    if (has_port) port_text = text.substr(colon + 1);
    if (!is_host_name(out.host)) return bad_address("the host must be a name or an address");
  }
  if (has_port) {
    const auto port = parse_port(port_text);
    if (!port) return bad_address("the port must be a number from 1 to 65535");
    out.port = *port;
  }
  return out;
}

SocketAddress::SocketAddress(const sockaddr* address, socklen_t size) noexcept
    : size_(std::min<socklen_t>(size, sizeof storage_)) {
  if (address != nullptr) std::memcpy(&storage_, address, size_);
}

Result<SocketAddress> SocketAddress::numeric(const HostPort& where) {
  int status = 0;
  const auto found = lookup(where, AI_NUMERICHOST, status);
  if (found.empty()) return Error{Code::Invalid, "not a numeric address: " + where.host};
  return found.front();
}

Result<SocketAddress> SocketAddress::unix_path(std::string_view path) {
  sockaddr_un address{};
  if (path.empty() || path.size() >= sizeof address.sun_path || path.find('\0') != std::string_view::npos) {
    return Error{Code::Invalid, "the path of a UNIX socket must have 1 to 107 bytes: " + std::string(path)};
  }
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, path.size());
  const auto size = offsetof(sockaddr_un, sun_path) + path.size() + 1;
  return SocketAddress(reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(size));
}

std::uint16_t SocketAddress::port() const noexcept {
  if (family() == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in*>(&storage_)->sin_port);
  if (family() == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_port);
  return 0;
}

std::string SocketAddress::text() const {
  if (size_ == 0) return "";
  if (family() == AF_UNIX) {
    const auto* address = reinterpret_cast<const sockaddr_un*>(&storage_);
    const auto room = size_ - std::min<std::size_t>(size_, offsetof(sockaddr_un, sun_path));
    return "unix:" + std::string(address->sun_path, strnlen(address->sun_path, room));
  }
  char host[NI_MAXHOST] = {};
  if (getnameinfo(data(), size_, host, sizeof host, nullptr, 0, NI_NUMERICHOST) != 0) return "?";
  return HostPort{host, port()}.text();
}

bool operator==(const SocketAddress& a, const SocketAddress& b) noexcept {
  return a.size_ == b.size_ && std::memcmp(&a.storage_, &b.storage_, a.size_) == 0;
}

Result<std::vector<SocketAddress>> resolve(const HostPort& where) {
  int status = 0;
  auto found = lookup(where, AI_NUMERICHOST, status);
  if (found.empty()) found = lookup(where, AI_ADDRCONFIG, status);
  if (!found.empty()) return found;
  const int system_error = errno;
  switch (status) {
    case EAI_AGAIN:
      return Error{Code::Unreachable, "the name server did not answer for " + where.host};
    case EAI_MEMORY:
      return Error{Code::Internal, "out of memory while resolving " + where.host};
    case EAI_SYSTEM:
      return Error{Code::Internal,
                   "cannot resolve " + where.host + ": " + std::generic_category().message(system_error)};
    default:
      return Error{Code::Unreachable, "no address for the name " + where.host};
  }
}

}  // namespace nimbus::base
