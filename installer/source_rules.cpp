#include "installer/source_rules.hpp"

#include "boot/protocol/source_rules.hpp"

namespace nimbus::installer {

base::SourceRules source_rules(const boot::InstallPlan& plan, const std::string& url) {
  if (plan.image_cache.empty() || url != plan.image_cache)
    return boot::source_rules(plan.image_sources, plan.image_never);
  const auto parsed = base::parse_http_url(url);
  const std::string cache = parsed ? base::HostPort{parsed->host, parsed->port}.text() : std::string();
  return {.redirect = {}, .address = [cache](const base::SocketAddress& address) -> Result<> {
            if (address.text() == cache) return {};
            return Error{Code::Untrusted, "the cache is at " + cache + ", not at " + address.text()};
          }};
}

}  // namespace nimbus::installer
