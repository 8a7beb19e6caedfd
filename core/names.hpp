// Names of registry objects: DNS labels (registry format, "Principles").
#pragma once

#include <compare>
#include <string>
#include <string_view>

namespace nimbus {

/// `[a-z0-9]([-a-z0-9]*[a-z0-9])?`, at most 63 characters.
bool is_dns_label(std::string_view text) noexcept;

/// A secret's name: DNS labels separated by '/', at most 200 characters,
/// for example "bmc/berlin-1".
bool is_secret_name(std::string_view text) noexcept;

/// A machine, across the registry: machine names are unique per provider.
struct MachineId {
  std::string provider;
  std::string machine;

  /// "berlin-1/m017"
  std::string text() const { return provider + "/" + machine; }

  friend auto operator<=>(const MachineId&, const MachineId&) = default;
};

}  // namespace nimbus
