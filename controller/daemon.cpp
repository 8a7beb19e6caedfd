#include "controller/daemon.hpp"

#include <chrono>
#include <utility>

#include <fmt/core.h>

#include "base/log/log.hpp"
#include "controller/daemon_impl.hpp"
#include "controller/loops/threads.hpp"

namespace nimbus::controller {
namespace {

constexpr std::chrono::milliseconds kDrain{10'000};  // for the last status commit and the BMC sessions

}  // namespace

Result<> Daemon::Impl::recall() {
  auto started = journal_->started_since(config_.provider, PowerAction::On, clock_.wall() - std::chrono::minutes(1));
  if (!started) return std::move(started.error()).with("while reading the journal");
  pace_.recall(*started);
  if (auto recalled = recall_reboots(); !recalled) return std::move(recalled.error()).with("while reading the journal");
  if (auto recalled = hosts_.recall(); !recalled) return std::move(recalled.error()).with("while reading the journal");
  return recall_open_runs();
}

Result<> Daemon::Impl::recall_reboots() {
  for (const char* kind : {"restart/", "firmware/"}) {
    const std::string prefix = kind + MachineId{config_.provider, ""}.text();
    auto restarts = journal_->recall_all(prefix);
    if (!restarts) return std::move(restarts.error());
    for (const auto& [key, text] : *restarts) {
      const auto progress = reconcilers::parse_restart_progress(text);
      const bool under_way = progress && progress->phase != reconcilers::RestartProgress::Phase::Idle;
      if (under_way) reboots_.begin(key.substr(prefix.size()), std::nullopt);
    }
  }
  return {};
}

/// Runs that a crash left open: their results name them in the audit log.
Result<> Daemon::Impl::recall_open_runs() {
  const auto pending = journal_->pending();
  if (!pending) return pending.error();
  for (const auto& run : *pending) audit_.remember(run.machine, run.run);
  note({.type = "start", .machine = {}, .by = config_.id, .reason = "version " NIMBUS_VERSION});
  return {};
}

void Daemon::Impl::start_threads() {
  if (reporter_) threads_.push_back(spawn("forge", [this](std::stop_token stop) { reporter_->work(std::move(stop)); }));
  threads_.push_back(spawn("watch", [this](std::stop_token stop) { watching_.run(std::move(stop)); }));
  threads_.push_back(spawn("publish", [this](std::stop_token stop) { publishing_.run(std::move(stop)); }));
  add_worker();
  hosts_.start();
}

void Daemon::Impl::add_worker() {
  workers_.grow([this](std::stop_token stop) { fleet_.work(std::move(stop)); });
}

Result<Reload> Daemon::Impl::reload(const Config& next) {
  Reload merged = merge_reload(*current_.get(), next);
  if (auto loaded = webhook_secrets_->load(merged.config.webhooks); !loaded) return std::move(loaded.error());
  current_.set(merged.config);
  hosts_.set_limits(merged.config);
  fleet_.set_limits({.power = merged.config.power,
                     .deadline = merged.config.pass_deadline,
                     .cadence = {.observe = merged.config.observe, .retry_most = merged.config.retry_most}});
  watching_.wake();  // the wait under way is still the old interval
  return merged;
}

std::string Daemon::Impl::standstill() const {
  const auto current = current_.get();
  return vitals_.standstill(
      clock_.now(),
      {{.work = Vitals::Work::Machines, .longest = queue_.oldest_wait(), .step_limit = current->pass_deadline},
       {.work = Vitals::Work::Hosts, .longest = hosts_.longest(), .step_limit = HostLoop::step_limit(*current)}});
}

std::string Daemon::Impl::summary() {
  const auto registry = fleet_.accepted();
  const auto state = readiness();
  std::string line = fmt::format("{} machines, {}", registry->machines.size(), state.ready ? "ready" : "not ready");
  if (!state.detail.empty()) line += ": " + state.detail.substr(0, state.detail.find('\n'));
  return line;
}

void Daemon::Impl::stop() {
  if (stopped_) return;
  stopped_ = true;
  if (server_) server_->stop();
  if (control_) control_->stop();
  workers_.dismiss();
  hosts_.stop();
  queue_.shut_down();
  workers_.join();  // what the last passes found is on the board now
  for (auto& thread : threads_) thread.request_stop();
  threads_.clear();
  const Call call{clock_.now() + kDrain};
  fleet_.close(call);
  if (publisher_.authority().state != Authority::State::Held) return;
  if (auto flushed = publisher_.flush(call); !flushed) {
    base::log(base::Level::Warning, "status-not-pushed", flushed.error().text());
  }
}

Result<std::unique_ptr<Daemon>> Daemon::start(const Config& config) {
  auto opened = open_parts(config);
  if (!opened) return std::move(opened.error());
  auto impl = std::make_unique<Impl>(config, std::move(*opened));
  if (auto recalled = impl->recall(); !recalled) return std::move(recalled.error());
  if (auto prepared = impl->prepare_forge(); !prepared) return std::move(prepared.error());
  if (auto served = impl->serve(); !served) return std::move(served.error());
  impl->start_threads();
  return std::unique_ptr<Daemon>(new Daemon(std::move(impl)));
}

Daemon::Daemon(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Daemon::~Daemon() { stop(); }
void Daemon::stop() { impl_->stop(); }
Result<Reload> Daemon::reload(const Config& next) { return impl_->reload(next); }
std::string Daemon::standstill() const { return impl_->standstill(); }
std::string Daemon::summary() const { return impl_->summary(); }

}  // namespace nimbus::controller
