// The Redfish driver: BMCs over HTTPS (DSP0266).
//
// What is read of a BMC once, and what each poll costs: docs/explanation/redfish.md.
// Thread rule: as core/ports/bmc.hpp says.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "core/ports/bmc.hpp"

namespace nimbus::redfish {

struct RedfishOptions {
  std::map<std::string, std::string> cas;          // name of a CA -> its certificates in PEM
  std::chrono::milliseconds connect_time{10'000};  // name, TCP and TLS, within a call's deadline
  std::size_t event_streams = 0;                   // most that are kept open for hints
};

std::unique_ptr<BmcDriver> make_redfish_driver(RedfishOptions options);

}  // namespace nimbus::redfish
