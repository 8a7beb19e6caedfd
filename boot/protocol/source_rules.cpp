#include "boot/protocol/source_rules.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/text/text.hpp"
#include "core/ip_address.hpp"

namespace nimbus::boot {
namespace {

Result<> allow_redirect(const std::vector<std::string>& sources, const std::string& url) {
  const bool known = std::any_of(sources.begin(), sources.end(),
                                 [&](const auto& source) { return !source.empty() && url.starts_with(source); });
  if (known) return {};
  return Error{Code::Untrusted, "the image's source leads to " + base::printable(url, 200) + ", which is not allowed"};
}

struct Never {
  std::string text;
  std::optional<IpNetwork> network;  // nothing: it cannot be read
};

Result<> allow_address(const std::vector<Never>& never, const base::SocketAddress& address) {
  const auto where = base::parse_host_port(address.text(), 0);
  const auto ip = where ? parse_ip(where->host) : std::nullopt;
  const Error refusal{Code::Untrusted, "no image is fetched from " + address.text()};
  if (!ip || is_special(*ip)) return Error{refusal.code, refusal.message + ": no other machine has that address"};
  for (const auto& one : never) {
    if (!one.network)
      return Error{refusal.code, refusal.message + ": " + base::printable(one.text, 64) + " is no network"};
    if (one.network->contains(plain(*ip)))
      return Error{refusal.code, refusal.message + ", which is on " + one.text + ": of provisioning or of BMCs"};
  }
  return {};
}

}  // namespace

base::SourceRules source_rules(std::vector<std::string> sources, const std::vector<std::string>& never) {
  std::vector<Never> networks;
  networks.reserve(never.size());
  for (const auto& text : never) networks.push_back({text, parse_cidr(text)});
  return {
      .redirect = [sources = std::move(sources)](const auto& url) { return allow_redirect(sources, url); },
      .address = [networks = std::move(networks)](const auto& address) { return allow_address(networks, address); }};
}

}  // namespace nimbus::boot
