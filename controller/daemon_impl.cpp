#include "controller/daemon_impl.hpp"

#include <algorithm>
#include <utility>

namespace nimbus::controller {
namespace {

/// Passes that wait for a BMC, beside those that get on. A tenth of 10,000 BMCs that are silent for
/// BmcBreaker::kPromptAnswer each, at a start, are 1,000 × 2 s / 256 = 8 s: less than the others take.
constexpr std::size_t kWaitingPerWorker = 16;

}  // namespace

Daemon::Impl::Impl(const Config& config, OpenedParts opened)
    : config_(config),
      current_(config),
      clock_owner_(std::move(opened.clock)),
      clock_(*clock_owner_),
      started_(clock_.wall()),
      remote_(std::move(opened.remote)),
      journal_(std::move(opened.journal)),
      chain_(std::move(opened.chain)),
      audit_(*journal_, *chain_, clock_, [this](const std::string& commit) { return authors_.of(commit); }),
      drivers_(std::move(*opened.drivers)),
      host_public_key_(opened.host_public_key),
      secrets_(config.secrets),
      holds_(config.holds),
      git_({.repository = config.mirror()}, clock_),
      queue_(clock_, {.slow_workers = std::max<std::size_t>(1, config.workers / 4),
                      .workers = config.workers,
                      .waiting = kWaitingPerWorker * config.workers,
                      .semaphores = {}}),
      signer_(std::move(opened.signer)),
      publisher_(publisher_options(opened.status_remote), git_, clock_, signer_ ? &*signer_ : nullptr),
      place_(config_, opened.status_remote, publisher_, details_),
      term_check_(clock_,
                  {.authority = [this] { return publisher_.authority(); },
                   .verify = [this](const Call& call) { return publisher_.verify(call); }},
                  {}),
      board_(clock_, config.provider, outlet()),
      inspections_(config.inspect, std::max<std::size_t>(1, config.workers / 4)),
      events_(clock_),
      live_(clock_, board_, events_),
      vitals_(clock_.now()),
      instances_(clock_,
                 [this](const auto& path, const auto& text, const auto& event) {
                   publisher_.put(path, text, event);
                   publishing_.wake();
                 }),
      consoles_(clock_, config.data + "/consoles"),
      life_(lifecycle_tools()),
      host_driver_(std::move(opened.hosts)),
      hosts_(host_tools(std::move(*opened.host_files))),
      fleet_(config.provider, queue_, fleet_tools()),
      publishing_(publish_tools()),
      watching_(watch_tools(), std::move(*opened.mirror)),
      workers_("worker", (1 + kWaitingPerWorker) * config.workers) {
  declare_meters(metrics_);
  declare_host_meters(metrics_);
}

Daemon::Impl::~Impl() = default;

}  // namespace nimbus::controller
