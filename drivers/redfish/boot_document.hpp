// The Boot object of a System and of its settings resource, and the difference
// between what it shows and what is wanted as properties to PATCH.
//
// Source: DSP2046, ComputerSystem.Boot; DSP0266, 9.10 (Redfish.Settings). Thread rule:
// plain values, pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"
#include "core/boot.hpp"
#include "core/result.hpp"

namespace nimbus::redfish {

/// Properties as the BMC spells them; nothing: this resource does not have it.
struct BootProperties {
  std::optional<std::string> target;
  std::optional<std::string> enabled;
  std::optional<std::string> mode;
  std::optional<std::string> http_uri;
  std::vector<std::string> targets;  // allowable values; empty: not said
  std::vector<std::string> enableds;

  friend bool operator==(const BootProperties&, const BootProperties&) = default;
};

BootProperties read_boot(const base::Json& resource);
/// Link of "@Redfish.Settings", or "".
std::string read_settings_link(const base::Json& resource);

/// What is shown, with the settings resource (what is pending) before the System.
/// Errors: Unsupported (no override offered; a device that has no word here).
Result<BootOverride> shown_override(const BootProperties& system, const BootProperties& settings);

struct BootChange {
  base::Json for_system;  // Boot object to PATCH; null: nothing
  base::Json for_settings;
  bool empty() const noexcept { return for_system.is_null() && for_settings.is_null(); }
};

enum class Send : std::uint8_t {
  Changed,  // only what differs: some BMCs refuse a value that is so already
  All,      // target, enabled and mode: others refuse less, or forget what is not sent
};
enum class ModeToo : std::uint8_t { Yes, No };

/// Errors: Unsupported (device or Always not among the allowable values).
Result<BootChange> boot_change(const BootOverride& wanted, const BootProperties& system, const BootProperties& settings,
                               Send send, ModeToo mode);

}  // namespace nimbus::redfish
