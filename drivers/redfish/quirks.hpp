// Quirks: what some BMCs do differently, as data. A quirk holds because the BMC's
// documents match, or because the registry forces it by id.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "drivers/redfish/documents.hpp"

namespace nimbus::redfish {

enum class Effect : std::uint8_t {
  SerialInSku,       // the number on the machine is the SKU; SerialNumber is the board's
  CloseConnections,  // a new connection for each request
  BasicOnly,         // no sessions: credentials with each request
};

struct Quirk {
  std::string_view id;
  Effect effect;
  std::string_view manufacturer;  // of the System, as prefix, whatever the case; empty: only if forced
  std::string_view evidence;
};
const std::vector<Quirk>& quirk_table();

/// Errors: Invalid (an id that is not in the table).
Result<> check_quirk_ids(const std::vector<std::string>& ids);
bool is_forced(const std::vector<std::string>& ids, Effect effect) noexcept;
bool applies(const System& system, const std::vector<std::string>& forced, Effect effect) noexcept;

}  // namespace nimbus::redfish
