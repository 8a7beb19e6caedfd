#include "drivers/redfish/driver.hpp"

#include <mutex>

#include "base/text/text.hpp"
#include "drivers/redfish/quirks.hpp"
#include "drivers/redfish/redfish_bmc.hpp"

namespace nimbus::redfish {
namespace {

class RedfishDriver final : public BmcDriver {
 public:
  explicit RedfishDriver(RedfishOptions options) : options_(std::move(options)) {}

  Result<std::unique_ptr<Bmc>> attach(const BmcEndpoint& endpoint, const Secrets& secrets) override {
    auto origin = Origin::parse(endpoint.address);
    if (!origin) return std::move(origin.error());
    if (auto known = check_quirk_ids(endpoint.quirks); !known) return std::move(known.error());
    if (endpoint.credentials.empty()) return Error{Code::Invalid, "no credentials are named for this BMC"};
    base::ClientOptions client{.origin = origin->text(), .connect_time = options_.connect_time};
    for (const auto& text : endpoint.tls.pins) {
      const auto pin = base::SpkiPin::parse(text);
      if (!pin) return pin.error();
      client.pins.push_back(*pin);
    }
    if (!endpoint.tls.ca.empty()) {
      const auto found = options_.cas.find(endpoint.tls.ca);
      if (found == options_.cas.end())
        return Error{Code::Invalid, "the controller knows no CA '" + base::printable(endpoint.tls.ca, 100) + "'"};
      client.ca_pem = found->second;
    }
    if (is_forced(endpoint.quirks, Effect::CloseConnections)) client.use = base::ConnectionUse::CloseAfterEach;
    auto http = base::make_http_client(client);
    if (!http) return std::move(http.error());
    return std::unique_ptr<Bmc>(std::make_unique<RedfishBmc>(
        endpoint, Session(endpoint, *origin, secrets, std::move(*http)), learnt_of(origin->text())));
  }

 private:
  /// One for each BMC, for as long as the driver: a Bmc is made anew whenever its machine's
  /// files change.
  std::shared_ptr<LearntQuirks> learnt_of(const std::string& origin) {
    const std::lock_guard lock(mutex_);
    auto& learnt = learnt_[origin];
    if (!learnt) learnt = std::make_shared<LearntQuirks>();
    return learnt;
  }

  const RedfishOptions options_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<LearntQuirks>> learnt_;
};

}  // namespace

std::unique_ptr<BmcDriver> make_redfish_driver(RedfishOptions options) {
  return std::make_unique<RedfishDriver>(std::move(options));
}

}  // namespace nimbus::redfish
