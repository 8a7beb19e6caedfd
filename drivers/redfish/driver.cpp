#include "drivers/redfish/driver.hpp"

#include <mutex>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text/text.hpp"
#include "drivers/redfish/quirks.hpp"
#include "drivers/redfish/redfish_bmc.hpp"

namespace nimbus::redfish {
namespace {

constexpr std::chrono::milliseconds kSpacing{250};

class RedfishDriver final : public BmcDriver {
 public:
  RedfishDriver(RedfishOptions options, std::unique_ptr<base::EventStreams> streams)
      : options_(std::move(options)), streams_(std::move(streams)) {}

  Result<std::unique_ptr<Bmc>> attach(const BmcEndpoint& endpoint, const Secrets& secrets) override {
    auto origin = Origin::parse(endpoint.address);
    if (!origin) return std::move(origin.error());
    if (auto known = check_quirk_ids(endpoint.quirks); !known) return std::move(known.error());
    if (endpoint.credentials.empty()) return Error{Code::Invalid, "no credentials are named for this BMC"};
    auto client = client_of(endpoint, *origin);
    if (!client) return std::move(client.error());
    auto service = service_of(endpoint, *origin, *client, secrets);
    if (!service) return std::move(service.error());
    return std::unique_ptr<Bmc>(
        std::make_unique<RedfishBmc>(endpoint, std::move(*service), learnt_of(origin->text() + " " + endpoint.system)));
  }

  std::size_t hint_streams() const override { return streams_ ? streams_->standing() : 0; }

 private:
  Result<base::ClientOptions> client_of(const BmcEndpoint& endpoint, const Origin& origin) const {
    base::ClientOptions client{.origin = origin.text(), .connect_time = options_.connect_time};
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
    return client;
  }

  /// One for all machines behind a BMC, while there are any, that reach it in the same way.
  Result<std::shared_ptr<Service>> service_of(const BmcEndpoint& endpoint, const Origin& origin,
                                              const base::ClientOptions& client, const Secrets& secrets) {
    const std::string key = fmt::format("{}\n{}\n{}\n{}\n{}\n{}", origin.text(), fmt::join(endpoint.credentials, " "),
                                        fmt::join(endpoint.tls.pins, " "), endpoint.tls.ca,
                                        fmt::join(endpoint.quirks, " "), static_cast<const void*>(&secrets));
    const std::lock_guard lock(mutex_);
    auto& place = services_[key];
    if (auto known = place.lock()) return known;
    auto http = base::make_http_client(client);
    if (!http) return std::move(http.error());
    auto made = std::make_shared<Service>(
        Session(endpoint, origin, secrets, std::move(*http)),
        is_forced(endpoint.quirks, Effect::Spaced) ? kSpacing : std::chrono::milliseconds{0}, streams_.get(), client);
    place = made;
    if (services_.size() > 2 * most_services_) sweep();
    return made;
  }

  /// Forgets what nobody uses; `mutex_` is held.
  void sweep() {
    std::erase_if(services_, [](const auto& entry) { return entry.second.expired(); });
    most_services_ = std::max<std::size_t>(services_.size(), 64);
  }

  /// One for each machine, for as long as the driver: a Bmc is made anew whenever its machine's
  /// files change.
  std::shared_ptr<LearntQuirks> learnt_of(const std::string& machine) {
    const std::lock_guard lock(mutex_);
    auto& learnt = learnt_[machine];
    if (!learnt) learnt = std::make_shared<LearntQuirks>();
    return learnt;
  }

  const RedfishOptions options_;
  const std::unique_ptr<base::EventStreams> streams_;  // null: none are wanted
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<LearntQuirks>> learnt_;
  std::map<std::string, std::weak_ptr<Service>> services_;
  std::size_t most_services_ = 64;  // as of the last sweep
};

}  // namespace

std::unique_ptr<BmcDriver> make_redfish_driver(RedfishOptions options) {
  std::unique_ptr<base::EventStreams> streams;
  if (options.event_streams > 0) {
    // Hints are a help: without them everything works.
    if (auto made = base::make_event_streams(options.event_streams)) streams = std::move(*made);
  }
  return std::make_unique<RedfishDriver>(std::move(options), std::move(streams));
}

}  // namespace nimbus::redfish
