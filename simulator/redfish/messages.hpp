// Error answers with messages of the Base registry (DMTF DSP2065, Base 1.13), and the
// ways in which some services get them wrong.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "base/json/json.hpp"
#include "simulator/http/message.hpp"
#include "simulator/model/quirks.hpp"

namespace nimbus::simulator::redfish {

/// A message of the registry with its arguments filled in; an id that holds a dot
/// ("SYS518" has none, "iLO.2.14.X" has) is a vendor's and taken as it is.
base::Json message(std::string_view id, std::initializer_list<std::string_view> arguments = {},
                   std::string_view related_property = {});

/// {"error": …} as this BMC writes it.
http::Response error(const Quirks& quirks, int status, std::string_view id,
                     std::initializer_list<std::string_view> arguments = {}, std::string_view related_property = {});

/// The Base registry as the service publishes it: the messages that it can send.
base::Json base_registry();

}  // namespace nimbus::simulator::redfish
