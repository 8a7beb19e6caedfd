#include <fmt/format.h>

#include <array>
#include <charconv>

#include "base/net/socket_address.hpp"
#include "base/text/text.hpp"
#include "simulator/fleet/fleet_file.hpp"

namespace nimbus::simulator {
namespace {

constexpr std::uint32_t kHostsPerNet = 254;  // .1 to .254

std::optional<std::array<std::uint32_t, 4>> octets_of(const std::string& host) {
  std::array<std::uint32_t, 4> out{};
  const auto parts = base::split(host, '.');
  if (parts.size() != out.size()) return std::nullopt;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto [end, error] = std::from_chars(parts[i].data(), parts[i].data() + parts[i].size(), out[i]);
    if (error != std::errc{} || end != parts[i].data() + parts[i].size() || out[i] > 255) return std::nullopt;
  }
  return out;
}

}  // namespace

Result<std::string> nth_endpoint(const std::string& first, std::size_t n, Step step) {
  auto endpoint = base::parse_host_port(first, 0);
  if (!endpoint) return std::move(endpoint.error());
  if (endpoint->port == 0) return Error{Code::Invalid, fmt::format("\"{}\" has no port", first)};
  if (step == Step::Port) {
    if (endpoint->port + n > 65535) return Error{Code::Invalid, fmt::format("no ports left after {}", first)};
    endpoint->port = static_cast<std::uint16_t>(endpoint->port + n);
    return endpoint->text();
  }
  if (n == 0) return endpoint->text();
  const auto octets = octets_of(endpoint->host);
  if (!octets || (*octets)[3] == 0 || (*octets)[3] > kHostsPerNet) {
    return Error{Code::Invalid, fmt::format("addresses cannot be counted up from \"{}\"", first)};
  }
  const std::size_t index = (*octets)[3] - 1 + n;
  const std::size_t net = (*octets)[1] * 256 + (*octets)[2] + index / kHostsPerNet;
  if (net > 0xffff) return Error{Code::Invalid, fmt::format("no addresses left after {}", first)};
  endpoint->host = fmt::format("{}.{}.{}.{}", (*octets)[0], net / 256, net % 256, index % kHostsPerNet + 1);
  return endpoint->text();
}

}  // namespace nimbus::simulator
