// A provider: one site with one BMC network and one active controller.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/choice.hpp"

namespace nimbus {

enum class EraseLevel : std::uint8_t { Metadata, Quick, Secure };
template <>
inline constexpr auto kChoiceNames<EraseLevel> = choice_names("metadata", "quick", "secure");

struct Provider {
  std::string name;
  std::string region;
  std::string description;
  std::map<std::string, std::string> labels;
  std::vector<std::string> tenants;          // whose instances may be placed here, or "*"; default none
  std::vector<std::string> controller_keys;  // who may write this provider's status
  std::string api;
  struct Release {
    EraseLevel erase = EraseLevel::Secure;
    friend bool operator==(const Release&, const Release&) = default;
  } release;
  struct Disruption {  // may only tighten the policy's limits
    std::optional<std::int64_t> machines_rebooting, machines_installing, power_on_per_minute;
    friend bool operator==(const Disruption&, const Disruption&) = default;
  } disruption;
  friend bool operator==(const Provider&, const Provider&) = default;
};

}  // namespace nimbus
