// Whose secrets a profile may name. A secret of tenant t is called tenant/<t>/…; a
// tenant's profiles name those and no others, shared profiles only the ones of whatever
// tenant the instance belongs to: tenant/{{tenant.name}}/…. Secrets of BMCs, of the
// controller and of other tenants never reach a host. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace nimbus::registry {

/// As a profile spells it; `tenant` empty: a shared profile. Nothing: it may.
std::optional<std::string> secret_breach(std::string_view secret, std::string_view tenant);

/// After variables were replaced: of that tenant, whoever named it.
bool is_secret_of(std::string_view secret, std::string_view tenant) noexcept;

}  // namespace nimbus::registry
