#include "drivers/drivers.hpp"

#include <utility>

#include "drivers/ipmi/driver.hpp"
#include "drivers/redfish/driver.hpp"
#include "drivers/ssh/driver.hpp"

namespace nimbus::drivers {

Result<std::unique_ptr<Bmc>> DriverTable::attach(const BmcEndpoint& endpoint, const Secrets& secrets) {
  const auto driver = drivers_.find(endpoint.driver);
  if (driver == drivers_.end())
    return Error{Code::Unsupported, "no driver for BMCs of kind \"" + endpoint.driver + "\""};
  return driver->second->attach(endpoint, secrets);
}

std::size_t DriverTable::hint_streams() const {
  std::size_t sum = 0;
  for (const auto& [kind, driver] : drivers_) sum += driver->hint_streams();
  return sum;
}

bool DriverTable::polls_in_batches(const std::string& driver) const {
  const auto found = drivers_.find(driver);
  return found != drivers_.end() && found->second->polls_in_batches();
}

std::vector<Result<PowerState>> DriverTable::powers(const std::string& driver, const std::vector<Bmc*>& bmcs,
                                                    const Call& call) {
  return drivers_.at(driver)->powers(bmcs, call);
}

Result<DriverTable> make_drivers(const DriverOptions& options, const Clock& clock) {
  std::map<std::string, std::unique_ptr<BmcDriver>> drivers;
  auto ipmi = ipmi::make_ipmi_driver(clock);
  if (!ipmi) return std::move(ipmi.error()).with("while starting the IPMI driver");
  drivers["ipmi"] = std::move(*ipmi);
  drivers["redfish"] = redfish::make_redfish_driver({.cas = options.cas, .event_streams = options.event_streams});
  return DriverTable(std::move(drivers));
}

Result<std::unique_ptr<HostDriver>> make_host_driver(const HostDriverOptions& options, const Clock& clock) {
  return ssh::make_ssh_driver({.key = options.key, .certificate = options.certificate}, clock);
}

Result<std::string> host_public_key(const HostDriverOptions& options) { return ssh::public_key_of(options.key); }

}  // namespace nimbus::drivers
