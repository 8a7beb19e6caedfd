// The registry's word for core's addresses.
#pragma once

#include "core/ip_address.hpp"

namespace nimbus::registry {

using nimbus::IpAddress;
using nimbus::IpNetwork;
using nimbus::parse_cidr;
using nimbus::parse_ip;

}  // namespace nimbus::registry
