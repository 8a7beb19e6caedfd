// What the parts of nimbusd need of each other, and what they tell each other.
#include <utility>

#include "controller/daemon_impl.hpp"
#include "controller/loops/threads.hpp"
#include "controller/metered_bmc.hpp"

namespace nimbus::controller {

using std::chrono::milliseconds;

PublisherOptions Daemon::Impl::publisher_options(registry::GitRemote remote) {
  PublisherOptions options;
  options.remote = std::move(remote);
  options.branch = status_branch(config_.provider);
  options.repository = config_.mirror();
  options.controller = config_.id;
  options.heartbeat = config_.heartbeat;
  options.audit = [this] {
    const auto head = chain_->head();
    return registry::AuditAnchor{head.seq, head.hash};
  };
  return options;
}

StatusBoard::Outlet Daemon::Impl::outlet() {
  return {.machine =
              [this](const std::string& path, const std::string& text, const std::string& headline) {
                publisher_.put(path, text, headline);
                publishing_.wake();
              },
          .moved_away = [this](const std::string& path) { publisher_.remove(path); },
          .controller =
              [this](const registry::ControllerStatus& status) {
                publisher_.set_controller(status);
                publishing_.wake();
              }};
}

std::map<std::string, BootService*> Daemon::Impl::boots() {
  std::map<std::string, BootService*> out;
  for (const auto& [network, socket] : config_.boot_sockets) {
    boots_.push_back(std::make_unique<UnixBootService>(socket, clock_));
    out[network] = boots_.back().get();
  }
  return out;
}

LifecycleTools Daemon::Impl::lifecycle_tools() {
  return {
      .clock = clock_,
      .provider = config_.provider,
      .store = {.remember = [this](const auto& key, const auto& value) { return journal_->remember(key, value); },
                .recall_all = [this](const auto& prefix) { return journal_->recall_all(prefix); }},
      .boots = boots(),
      .ssh = [this](const auto& address, const auto& host_key,
                    const Call& call) { return ask_ssh(address, host_key, call, clock_); },
      .acknowledged = [this](const auto& path) { return publisher_.acknowledged(path); },
      .publish = [this](const auto& path, const auto& text, const auto& event) { instances_.life(path, text, event); },
      .image_sources = config_.image_sources,
      .policy = config_.install,
      .host_user = config_.hosts.user,
      .host_key = host_public_key_,
      .consoles = &consoles_,
      .disruption = {.pace = &pace_,
                     .zones = [this](const std::string& zone, WallTime at) { return zones_.offset(zone, at); }},
      .look_at = [this](const std::string& machine) { fleet_.look_at(machine); }};
}

PassTools Daemon::Impl::pass_tools() {
  return {
      .clock = clock_,
      .attach = [this](const BmcEndpoint& endpoint) { return attach(endpoint); },
      .authority = [this] { return term_check_.confirm(); },
      .local_hold =
          [this](const std::string& machine) {
            const auto hold = holds_.of(machine);
            return hold ? hold->text() : std::string();
          },
      .inspections = &inspections_,
      .note =
          [this](const auto& what, const auto& machine, const auto& detail) {
            return audit_.note({.type = what, .machine = machine, .by = config_.id, .reason = detail});
          },
      .life = config_.boot_sockets.empty() ? nullptr : &life_,
      .hinted =
          [this](const std::string& machine) {
            metrics_.count("nimbus_bmc_hints_total");
            fleet_.hint(machine);
          },
      .power = config_.power,
      .deadline = config_.pass_deadline,
      .disruption = {.facts = journal_.get(),
                     .pace = &pace_,
                     .reboots = &reboots_,
                     .zones = [this](const std::string& zone, WallTime at) { return zones_.offset(zone, at); },
                     .published = [this](const std::string& machine) { return board_.published_restart(machine); }}};
}

HostLoop::Tools Daemon::Impl::host_tools(registry::GitRepository files) {
  return {.config = config_,
          .clock = clock_,
          .driver = host_driver_.get(),
          .public_key = host_public_key_,
          .files = std::move(files),
          .journal = *journal_,
          .secrets = secrets_,
          .metrics = metrics_,
          .events = events_,
          .board = instances_,
          .next = live_,
          .authority = [this] { return term_check_.confirm(); },
          .local_hold =
              [this](const std::string& machine) {
                const auto hold = holds_.of(machine);
                return hold ? hold->text() : std::string();
              },
          .stepped = [this] { vitals_.step_ended(Vitals::Work::Hosts, clock_.now()); },
          .note =
              [this](const auto& type, const auto& machine, const auto& text) {
                return audit_.note({.type = type, .machine = machine, .by = config_.id, .reason = text});
              },
          .author = [this](const std::string& commit) { return authors_.of(commit); }};
}

Fleet::Tools Daemon::Impl::fleet_tools() {
  return {.pass = pass_tools(),
          .cadence = {.observe = config_.observe, .retry_most = config_.retry_most},
          .runs = audit_,
          .facts = hosts_,
          .jitter = random_fraction,
          .batch = {.possible = [this](const auto& driver) { return drivers_.polls_in_batches(driver); },
                    .ask = [this](const auto& driver, const auto& bmcs,
                                  const Call& call) { return powers(driver, bmcs, call); }},
          .passed =
              [this](const MachineReport& report, milliseconds took) {
                vitals_.step_ended(Vitals::Work::Machines, clock_.now());
                meter_pass(metrics_, report, took);
              },
          .short_of_workers = [this] { add_worker(); }};
}

PublishLoop::Tools Daemon::Impl::publish_tools() {
  return {.config = config_,
          .current = current_,
          .clock = clock_,
          .publisher = publisher_,
          .journal = *journal_,
          .details = details_,
          .vitals = vitals_,
          .placed = [this] { return place_.settled(); },
          .term_taken = [this](const TermTaken& taken) { term_taken(taken); },
          .deposed = [this](const std::string& detail) { deposed(detail); },
          .folder_older = [this] { metrics_.set("nimbus_data_folder_older", {}, 1); },
          .exchanged = [this](const char* operation,
                              bool worked) { meter_exchange(metrics_, operation, worked, clock_.wall()); }};
}

WatchLoop::Tools Daemon::Impl::watch_tools() {
  return {.config = config_,
          .current = current_,
          .clock = clock_,
          .git = git_,
          .remote = remote_,
          .publisher = publisher_,
          .place = place_,
          .authors = authors_,
          .details = details_,
          .vitals = vitals_,
          .accepted = [this](const auto& registry, const auto& mirror) { accepted(registry, mirror); },
          .placed = [this] { publishing_.wake(); },
          .exchanged = [this](const char* operation,
                              bool worked) { meter_exchange(metrics_, operation, worked, clock_.wall()); }};
}

Result<std::unique_ptr<Bmc>> Daemon::Impl::attach(const BmcEndpoint& endpoint) {
  auto bmc = drivers_.attach(endpoint, secrets_);
  if (!bmc) return bmc;
  return metered(std::move(*bmc), [this, driver = endpoint.driver](std::string_view code, double seconds) {
    meter_bmc(metrics_, driver, code, seconds);
  });
}

std::vector<Result<PowerState>> Daemon::Impl::powers(const std::string& driver, const std::vector<Bmc*>& bmcs,
                                                     const Call& call) {
  std::vector<Bmc*> inner;
  inner.reserve(bmcs.size());
  for (Bmc* bmc : bmcs) inner.push_back(&unmetered(*bmc));
  const MonoTime start = clock_.now();
  auto states = drivers_.powers(driver, inner, call);
  meter_batch(metrics_, driver, states, std::chrono::duration<double>(clock_.now() - start).count());
  return states;
}

}  // namespace nimbus::controller
