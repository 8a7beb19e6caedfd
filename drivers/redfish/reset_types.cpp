#include "drivers/redfish/reset_types.hpp"

#include <algorithm>
#include <span>
#include <string_view>

#include "base/text/text.hpp"

namespace nimbus::redfish {
namespace {

std::span<const std::string_view> candidates(PowerAction action) {
  static constexpr std::string_view kOn[] = {"On", "ForceOn"};
  static constexpr std::string_view kSoftOff[] = {"GracefulShutdown"};
  static constexpr std::string_view kHardOff[] = {"ForceOff"};
  static constexpr std::string_view kReset[] = {"ForceRestart", "PowerCycle"};
  switch (action) {
    case PowerAction::On:
      return kOn;
    case PowerAction::SoftOff:
      return kSoftOff;
    case PowerAction::HardOff:
      return kHardOff;
    case PowerAction::Reset:
      return kReset;
  }
  return {};
}

std::optional<std::string> first_allowed(std::span<const std::string_view> wanted_types,
                                         const std::vector<std::string>& allowable) {
  for (const auto wanted : wanted_types) {
    if (allowable.empty()) return std::string(wanted);
    const auto found = std::find_if(allowable.begin(), allowable.end(), [&](const std::string& value) {
      return base::equals_ignoring_case(value, wanted);
    });
    if (found != allowable.end()) return *found;  // in the BMC's own spelling
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> choose_reset_type(PowerAction action, const std::vector<std::string>& allowable) {
  return first_allowed(candidates(action), allowable);
}

std::optional<std::string> choose_restart_type(const std::vector<std::string>& allowable) {
  static constexpr std::string_view kRestart[] = {"GracefulRestart", "ForceRestart"};
  return first_allowed(kRestart, allowable);
}

}  // namespace nimbus::redfish
