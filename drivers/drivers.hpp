// The table of drivers: kinds of BMCs, as machine files name them, to what speaks to
// them. The only place that names a concrete driver.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/ports/bmc.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/host.hpp"

namespace nimbus::drivers {

struct DriverOptions {
  std::map<std::string, std::string> cas;  // name of a CA -> its certificates in PEM
  std::size_t event_streams = 0;           // most that are kept open for hints
};

/// Thread rule: safe from any thread.
class DriverTable {
 public:
  explicit DriverTable(std::map<std::string, std::unique_ptr<BmcDriver>> drivers) : drivers_(std::move(drivers)) {}

  /// As BmcDriver::attach of the endpoint's driver. Errors: also Unsupported (no such driver).
  Result<std::unique_ptr<Bmc>> attach(const BmcEndpoint& endpoint, const Secrets& secrets);

  /// Streams of hints that stand now, of all drivers.
  std::size_t hint_streams() const;
  /// As those of BmcDriver; all of `bmcs` were made by this driver.
  bool polls_in_batches(const std::string& driver) const;
  std::vector<Result<PowerState>> powers(const std::string& driver, const std::vector<Bmc*>& bmcs, const Call& call);

 private:
  std::map<std::string, std::unique_ptr<BmcDriver>> drivers_;
};

/// `clock` must outlive the table. Errors: those of the drivers' own start (no
/// sockets).
Result<DriverTable> make_drivers(const DriverOptions& options, const Clock& clock);

struct HostDriverOptions {
  std::string key;          // path of our own private key
  std::string certificate;  // path; empty: none
};

/// What speaks to hosts: SSH. Errors: the key cannot be used. `clock` must outlive the driver.
Result<std::unique_ptr<HostDriver>> make_host_driver(const HostDriverOptions& options, const Clock& clock);
/// "ssh-ed25519 AAAA…" of our own key.
Result<std::string> host_public_key(const HostDriverOptions& options);

}  // namespace nimbus::drivers
