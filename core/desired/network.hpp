// A network of a provider.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/choice.hpp"

namespace nimbus {

enum class NetworkRole : std::uint8_t { Provisioning, Tenant, Bmc, Public };
enum class DhcpService : std::uint8_t { None, Proxy, Server };
template <>
inline constexpr auto kChoiceNames<NetworkRole> = choice_names("provisioning", "tenant", "bmc", "public");
template <>
inline constexpr auto kChoiceNames<DhcpService> = choice_names("none", "proxy", "server");

struct Network {
  std::string provider, name;
  std::string cidr;
  NetworkRole role = NetworkRole::Provisioning;
  std::string gateway;
  std::vector<std::string> dns;
  std::optional<std::int64_t> vlan;
  DhcpService dhcp = DhcpService::None;
  std::vector<std::string> range;    // first and last address, or empty
  std::vector<std::string> tenants;  // role tenant: whose instances may use it
  friend bool operator==(const Network&, const Network&) = default;
};

}  // namespace nimbus
