#include "installer/source_rules.hpp"

#include <algorithm>

#include "base/text/text.hpp"
#include "core/ip_address.hpp"

namespace nimbus::installer {
namespace {

Result<> allow_redirect(const std::vector<std::string>& sources, const std::string& url) {
  const bool known = std::any_of(sources.begin(), sources.end(),
                                 [&](const auto& source) { return !source.empty() && url.starts_with(source); });
  if (known) return {};
  return Error{Code::Untrusted, "the image's source leads to " + base::printable(url, 200) + ", which is not allowed"};
}

Result<> allow_address(const std::vector<std::string>& never, const base::SocketAddress& address) {
  const auto where = base::parse_host_port(address.text(), 0);
  const auto ip = where ? parse_ip(where->host) : std::nullopt;
  const Error refusal{Code::Untrusted, "no image is fetched from " + address.text()};
  if (!ip || is_special(*ip)) return refusal;
  for (const auto& text : never) {
    const auto network = parse_cidr(text);
    if (!network || network->contains(plain(*ip))) return refusal;
  }
  return {};
}

}  // namespace

base::SourceRules source_rules(const boot::InstallPlan& plan) {
  return {.redirect = [sources = plan.image_sources](const auto& url) { return allow_redirect(sources, url); },
          .address = [never = plan.image_never](const auto& address) { return allow_address(never, address); }};
}

}  // namespace nimbus::installer
