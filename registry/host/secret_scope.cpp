#include "registry/host/secret_scope.hpp"

#include <fmt/core.h>

#include "core/names.hpp"

namespace nimbus::registry {
namespace {

constexpr std::string_view kTenant = "tenant/", kOwn = "tenant/{{tenant.name}}/";

}  // namespace

bool is_secret_of(std::string_view secret, std::string_view tenant) noexcept {
  return is_secret_name(secret) && secret.starts_with(kTenant) && secret.substr(kTenant.size()).starts_with(tenant) &&
         secret.substr(kTenant.size() + tenant.size()).starts_with('/');
}

std::optional<std::string> secret_breach(std::string_view secret, std::string_view tenant) {
  const bool own = secret.starts_with(kOwn) && is_secret_name(secret.substr(kOwn.size()));
  if (own || (!tenant.empty() && is_secret_of(secret, tenant))) return std::nullopt;
  if (secret.starts_with("bmc/")) return fmt::format("'{}' may be named by machines only", secret);
  if (!tenant.empty()) {
    return fmt::format("'{}' is no secret of tenant '{}': its files name tenant/{}/… only", secret, tenant, tenant);
  }
  return fmt::format("'{}' in a shared profile: write tenant/{{{{tenant.name}}}}/…, the instance's own tenant's",
                     secret);
}

}  // namespace nimbus::registry
