#include "controller/daemon.hpp"

#include <functional>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/crypto/crypto.hpp"
#include "base/file/file.hpp"
#include "base/http/server.hpp"
#include "base/log/log.hpp"
#include "base/secrets/file_secrets.hpp"
#include "base/text/text.hpp"
#include "base/time/time.hpp"
#include "controller/api/api.hpp"
#include "controller/audit/audit.hpp"
#include "controller/commit_verdict.hpp"
#include "controller/fleet/fleet.hpp"
#include "controller/forge/reporter.hpp"
#include "controller/holds/holds.hpp"
#include "controller/install/lifecycle.hpp"
#include "controller/intake/intake.hpp"
#include "controller/journal/journal.hpp"
#include "controller/metered_bmc.hpp"
#include "controller/meters.hpp"
#include "controller/publisher/publisher.hpp"
#include "controller/remotes.hpp"
#include "controller/serve/routes.hpp"
#include "controller/status/board.hpp"
#include "controller/threads.hpp"
#include "controller/watch/term_check.hpp"
#include "controller/watch/watcher.hpp"
#include "controller/work/queue.hpp"
#include "controller/work/vitals.hpp"
#include "controller/work/wake.hpp"
#include "controller/zone_table.hpp"
#include "drivers/drivers.hpp"
#include "registry/git/git_program.hpp"
#include "registry/git/repository.hpp"
#include "registry/git/ssh_signer.hpp"

namespace nimbus::controller {
namespace {

using base::Level;
using std::chrono::milliseconds;

constexpr milliseconds kFirstRetry{1000};
constexpr milliseconds kDrain{10'000};  // for the last status commit and the BMC sessions

std::string mirror_path(const Config& config) { return config.data + "/mirror.git"; }

}  // namespace

class Daemon::Impl {
 public:
  Impl(const Config& config, std::unique_ptr<const base::SystemClock> clock, registry::GitRemote remote,
       registry::GitRemote status_remote, std::optional<registry::SshSigner> signer, registry::GitRepository mirror,
       std::unique_ptr<Journal> journal, std::unique_ptr<base::ChainLog> chain, drivers::DriverTable drivers)
      : config_(config),
        current_(config),
        clock_owner_(std::move(clock)),
        clock_(*clock_owner_),
        remote_(std::move(remote)),
        status_remote_(std::move(status_remote)),
        mirror_(std::move(mirror)),
        journal_(std::move(journal)),
        chain_(std::move(chain)),
        audit_(*journal_, *chain_, clock_, [this](const std::string& commit) { return author_of(commit); }),
        drivers_(std::move(drivers)),
        secrets_(config.secrets),
        holds_(config.holds),
        git_({.repository = mirror_path(config)}, clock_),
        queue_(clock_, {.slow_workers = std::max<std::size_t>(1, config.workers / 4), .semaphores = {}}),
        signer_(std::move(signer)),
        publisher_(publisher_options(), git_, clock_, signer_ ? &*signer_ : nullptr),
        term_check_(clock_,
                    {.authority = [this] { return publisher_.authority(); },
                     .verify = [this](const Call& call) { return publisher_.verify(call); }},
                    {}),
        board_(clock_, config.provider, outlet()),
        inspections_(config.inspect, std::max<std::size_t>(1, config.workers / 4)),
        events_(clock_),
        live_(clock_, board_, events_),
        started_(clock_.wall()),
        vitals_(clock_.now()),
        boot_(config.boot_socket, clock_),
        life_(lifecycle_tools()),
        fleet_(config.provider, queue_, fleet_tools()),
        watcher_(mirror_, git_, remote_, {"refs/heads/" + config.registry.branch, status_branch()}),
        intake_(mirror_, clock_, config.provider) {
    declare_meters(metrics_);
  }

  /// What was under way when the program ended counts on.
  Result<> recall() {
    auto started = journal_->started_since(config_.provider, PowerAction::On, clock_.wall() - std::chrono::minutes(1));
    if (!started) return std::move(started.error()).with("while reading the journal");
    pace_.recall(*started);
    for (const char* kind : {"restart/", "firmware/"}) {
      const std::string prefix = kind + MachineId{config_.provider, ""}.text();
      auto restarts = journal_->recall_all(prefix);
      if (!restarts) return std::move(restarts.error()).with("while reading the journal");
      for (const auto& [key, text] : *restarts) {
        const auto progress = reconcilers::parse_restart_progress(text);
        const bool under_way = progress && progress->phase != reconcilers::RestartProgress::Phase::Idle;
        if (under_way) reboots_.begin(key.substr(prefix.size()), std::nullopt);
      }
    }
    return {};
  }

  /// Runs that a crash left open: their results name them in the audit log.
  Result<> recall_open_runs() {
    const auto pending = journal_->pending();
    if (!pending) return pending.error();
    for (const auto& run : *pending) audit_.remember(run.machine, run.run);
    note({.type = "start", .machine = {}, .by = config_.id, .reason = "version " NIMBUS_VERSION});
    return {};
  }

  Result<> serve() {
    if (auto loaded = webhook_secrets_->load(config_.webhooks); !loaded) return loaded;
    auto routes = make_routes(config_, metrics_,
                              {.fetch_now = [this] { watch_wake_.wake(); },
                               .readiness = [this] { return readiness(); },
                               .refresh_metrics = [this] { refresh_metrics(); },
                               .webhook_secrets = webhook_secrets_});
    auto peers = PeerPolicy::make(config_.control_users, config_.control_groups);
    if (!peers) return std::move(peers.error());
    peers_ = std::move(*peers);
    auto reading = to_http_routes(reading_routes(api_context()), clock_, http_observer());
    routes.insert(routes.end(), reading.begin(), reading.end());
    if (auto control = serve_control(routes); !control) return control;
    auto server = base::HttpServer::start({.address = config_.listen}, std::move(routes));
    if (!server) return std::move(server.error()).with("while listening on " + config_.listen);
    server_ = std::move(*server);
    base::log(Level::Info, "listening", "serves the API for reading, health, metrics and webhooks",
              {{"address", server_->address()}});
    return base::write_file_atomically(config_.data + "/http.address", server_->address() + "\n", 0644);
  }

  /// The same and the changes, for people on this machine. Everybody may connect:
  /// reading is open to all of them anyway, and who may change is asked of the kernel.
  Result<> serve_control(std::vector<base::HttpRoute> routes) {
    constexpr unsigned kForAll = 0666;
    auto changing = to_http_routes(changing_routes(api_context()), clock_, http_observer());
    routes.insert(routes.end(), changing.begin(), changing.end());
    const std::string address = "unix:" + config_.control_socket;
    auto server =
        base::HttpServer::start({.address = address, .unix_mode = kForAll}, std::move(routes), {.workers = 4});
    if (!server) return std::move(server.error()).with("while listening on " + address);
    control_ = std::move(*server);
    return {};
  }

  Result<> prepare_forge() {
    if (config_.forge.kind.empty()) return {};
    const std::string key = "forge-status";
    auto made = ForgeReporter::make(
        {.api = config_.forge.api,
         .project = {.api = choice_from<ForgeApi>(config_.forge.kind).value_or(ForgeApi::Github),
                     .base = {},
                     .project = config_.forge.project,
                     .context = "nimbus/" + config_.provider},
         .token_file = config_.forge.token_file,
         .ca_file = config_.forge.ca_file},
        clock_,
        {.known =
             [this, key](const std::string& status) {
               const auto told = journal_->recall(key);
               return told && *told && **told == status;
             },
         .remember = [this, key](const std::string& status) { (void)journal_->remember(key, status); },
         .may_speak = [this] { return publisher_.authority().state == Authority::State::Held; }});
    if (!made) return std::move(made.error());
    reporter_ = std::move(*made);
    return {};
  }

  void start_threads() {
    if (reporter_)
      threads_.push_back(spawn("forge", [this](std::stop_token stop) { reporter_->work(std::move(stop)); }));
    threads_.push_back(spawn("watch", [this](std::stop_token stop) { watch(std::move(stop)); }));
    threads_.push_back(spawn("publish", [this](std::stop_token stop) { publish(std::move(stop)); }));
    for (std::size_t i = 0; i < config_.workers; ++i) {
      workers_.push_back(spawn("worker", [this](std::stop_token stop) { fleet_.work(std::move(stop)); }));
    }
  }

  Result<Reload> reload(const Config& next) {
    Reload merged = merge_reload(*current_.get(), next);
    if (auto loaded = webhook_secrets_->load(merged.config.webhooks); !loaded) return std::move(loaded.error());
    current_.set(merged.config);
    fleet_.set_limits({.power = merged.config.power,
                       .deadline = merged.config.pass_deadline,
                       .cadence = {.observe = merged.config.observe, .retry_most = merged.config.retry_most}});
    watch_wake_.wake();  // the wait under way is still the old interval
    return merged;
  }

  std::string standstill() const {
    return vitals_.standstill(clock_.now(), queue_.oldest_wait(), current_.get()->pass_deadline);
  }

  std::string summary() {
    const auto registry = fleet_.accepted();
    const auto view = controller_view();
    std::string line = fmt::format("{} machines, {}", registry->machines.size(), view.ready ? "ready" : "not ready");
    if (!view.detail.empty()) line += ": " + view.detail.substr(0, view.detail.find('\n'));
    return line;
  }

  void stop() {
    if (stopped_) return;
    stopped_ = true;
    if (server_) server_->stop();
    if (control_) control_->stop();
    for (auto& worker : workers_) worker.request_stop();
    queue_.shut_down();
    workers_.clear();  // joins: what the last passes found is on the board now
    for (auto& thread : threads_) thread.request_stop();
    threads_.clear();
    const Call call{clock_.now() + kDrain};
    fleet_.close(call);
    if (publisher_.authority().state != Authority::State::Held) return;
    if (auto flushed = publisher_.flush(call); !flushed) {
      base::log(Level::Warning, "status-not-pushed", flushed.error().text());
    }
  }

 private:
  milliseconds git_deadline() const { return current_.get()->git_deadline; }
  /// The branch, by what registry.toml says; empty: by its default.
  std::string status_branch(const std::string& prefix = {}) const {
    return "refs/heads/" + (prefix.empty() ? RegistrySettings::Status().branch_prefix : prefix) + "/" +
           config_.provider;
  }

  /// Once, when the first commit tells where status goes. A repository that only the
  /// registry names is not written to: it would get this controller's credentials.
  void place_status(const AcceptedRegistry& registry) {
    const auto& wanted = registry.status;
    const bool elsewhere = !wanted.repository.empty() && wanted.repository != config_.registry.url;
    if (elsewhere && wanted.repository != config_.status.repository) {
      set_detail(place_detail_, "registry.toml wants status in " + base::printable(wanted.repository, 200) +
                                    ": allow it with [status] repository in nimbusd.toml");
      return;
    }
    const std::string branch = status_branch(wanted.branch_prefix);
    const std::string place = (elsewhere ? wanted.repository : config_.registry.url) + " " + branch;
    if (placed_) {
      const bool moved = place != place_;
      if (moved && place_detail_.empty())
        base::log(Level::Warning, "status-moved", "restart nimbusd to write status to " + place);
      set_detail(place_detail_, moved ? "status goes to " + place + " after a restart" : "");
      return;
    }
    auto remote = status_remote_;
    if (elsewhere) remote.url = wanted.repository;
    publisher_.place(std::move(remote), branch);
    watcher_.watch_status(elsewhere ? "" : branch);
    status_elsewhere_ = elsewhere;
    place_ = place;
    set_detail(place_detail_, "");
    placed_ = true;
    publish_wake_.wake();
  }

  PublisherOptions publisher_options() const {
    PublisherOptions options;
    options.remote = status_remote_;
    options.branch = status_branch();
    options.repository = mirror_path(config_);
    options.controller = config_.id;
    options.heartbeat = config_.heartbeat;
    options.audit = [this] {
      const auto head = chain_->head();
      return registry::AuditAnchor{head.seq, head.hash};
    };
    return options;
  }

  StatusBoard::Outlet outlet() {
    return {.machine =
                [this](const std::string& path, const std::string& text, const std::string& headline) {
                  publisher_.put(path, text, headline);
                  publish_wake_.wake();
                },
            .moved_away = [this](const std::string& path) { publisher_.remove(path); },
            .controller =
                [this](const registry::ControllerStatus& status) {
                  publisher_.set_controller(status);
                  publish_wake_.wake();
                }};
  }

  LifecycleTools lifecycle_tools() {
    return {.clock = clock_,
            .provider = config_.provider,
            .store = {.remember = [this](const auto& key, const auto& value) { return journal_->remember(key, value); },
                      .recall = [this](const auto& key) { return journal_->recall(key); }},
            .boot = boot_,
            .ssh = [this](const auto& address, const auto& host_key,
                          const Call& call) { return ask_ssh(address, host_key, config_.data, call, clock_); },
            .acknowledged = [this](const auto& path) { return publisher_.acknowledged(path); },
            .publish =
                [this](const auto& path, const auto& text, const auto& event) {
                  publisher_.put(path, text, event);
                  publish_wake_.wake();
                },
            .image_sources = config_.image_sources,
            .policy = config_.install,
            .look_at = [this](const std::string& machine) { fleet_.look_at(machine); }};
  }

  Fleet::Tools fleet_tools() {
    return {
        .pass = {
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
            .life = config_.boot_socket.empty() ? nullptr : &life_,
            .power = config_.power,
            .deadline = config_.pass_deadline,
            .disruption = {.facts = journal_.get(),
                           .pace = &pace_,
                           .reboots = &reboots_,
                           .zones = [this](const std::string& zone, WallTime at) { return zones_.offset(zone, at); },
                           .published =
                               [this](const std::string& machine) { return board_.published_restart(machine); }}},
        .cadence = {.observe = config_.observe, .retry_most = config_.retry_most},
        .runs = audit_,
        .facts = live_,
        .jitter = random_fraction,
        .passed = [this](const MachineReport& report, milliseconds took) {
          vitals_.pass_ended(clock_.now());
          meter_pass(metrics_, report, took);
        }};
  }

  // --- watch ---------------------------------------------------------------

  void watch(std::stop_token stop) {
    Trouble trouble("fetch-failed", "fetch-works");
    take_what_is_there();
    while (!stop.stop_requested()) {
      // One fetch, and at times one repacking or one question about the term.
      vitals_.back_by(Vitals::Part::Watch, clock_.now() + 3 * git_deadline() + 2 * current_.get()->poll);
      auto look = watcher_.look({clock_.now() + git_deadline(), stop});
      if (stop.stop_requested()) return;
      note_exchange("fetch", look.has_value());
      if (look) {
        trouble.over();
        take_look(*look, stop);
      } else {
        trouble.met(look.error());
      }
      set_detail(fetch_detail_, trouble.text());
      pack_mirror(stop);
      watch_wake_.wait_until(clock_.now() + with_jitter(current_.get()->poll), stop);
    }
  }

  void pack_mirror(std::stop_token stop) {
    auto packed = git_.compact_if_needed({clock_.now() + git_deadline(), std::move(stop)});
    if (!packed) {
      base::log(Level::Warning, "mirror-not-packed", packed.error().text());
    } else if (*packed) {
      // The old packs are gone: look at the new ones.
      if (auto opened = registry::GitRepository::open(mirror_path(config_)); opened) mirror_ = std::move(*opened);
    }
  }

  /// After a restart the forge may be down: what the mirror knows is looked at (not
  /// written to: there is no term yet).
  void take_what_is_there() {
    auto seen = mirror_.resolve(Watcher::kSeen);
    if (seen && *seen) take_commit(**seen);
  }

  void take_look(const Look& look, std::stop_token stop) {
    if (look.moved || !taken_) take_commit(look.tip);
    set_detail(hold_detail_, look.held);
    if (look.held != last_held_) {
      if (!look.held.empty()) {
        base::log(Level::Error, "history-rewritten", look.held);
        take(intake_.take_brakes(look.held_tip, look.held), look.held_tip);
      } else if (!look.moved) {
        take_commit(look.tip);  // the branch is back where it was
      }
    }
    last_held_ = look.held;
    // Somebody else may have taken over.
    const bool moved = status_elsewhere_ || look.status_tip != publisher_.tip();
    if (publisher_.authority().state == Authority::State::Held && moved) {
      if (auto verified = publisher_.verify({clock_.now() + git_deadline(), std::move(stop)}); !verified) {
        base::log(Level::Warning, "term-unverified", verified.error().text());
      }
    }
  }

  void take_commit(const std::string& commit) { take(intake_.take(commit), commit); }

  void take(const Result<std::shared_ptr<const AcceptedRegistry>>& accepted, const std::string& commit) {
    if (!accepted) {
      base::log(Level::Error, "registry-unreadable", accepted.error().text(), {{"commit", commit}});
      set_detail(registry_detail_, accepted.error().text());
      return;
    }
    taken_ = true;
    set_detail(registry_detail_, "");
    const auto& registry = **accepted;
    base::log(registry.problems.empty() ? Level::Info : Level::Warning, "registry-accepted",
              fmt::format("{} machines, {} problems", registry.machines.size(), registry.problems.size()),
              {{"commit", registry.observed_commit}, {"in_force", registry.accepted_commit}});
    remember_author(registry.accepted_commit);
    if (reporter_) reporter_->tell(commit_status(registry));
    place_status(registry);
    live_.accepted(*accepted);
    board_.accepted(*accepted);
    const bool instances_changed = accept_life(registry);
    fleet_.accept(*accepted);
    if (instances_changed) fleet_.look_at_all();
  }

  /// Whether what is wanted of instances changed: then any machine may be concerned.
  bool accept_life(const AcceptedRegistry& registry) {
    if (config_.boot_socket.empty()) return false;
    auto changed = life_.accept(
        registry,
        wishes_of(registry.in_force.get(), config_.provider, registry.accepted_commit,
                  [this](const auto& file) { return mirror_.read_blob(file.blob, registry::TreeSource::kMaxFile); }));
    if (!changed) base::log(Level::Error, "journal-unreadable", changed.error().text());
    return changed && *changed;
  }

  void remember_author(const std::string& commit) {
    const auto read = mirror_.commit(commit);
    if (!read) return;
    const auto& author = read->author;
    const std::lock_guard lock(authors_mutex_);
    authors_[commit] = base::printable(fmt::format("{} <{}>", author.name, author.email));
    constexpr std::size_t kKept = 1000;
    if (authors_.size() > kKept) authors_ = {{commit, authors_[commit]}};
  }

  std::string author_of(const std::string& commit) {
    const std::lock_guard lock(authors_mutex_);
    const auto known = authors_.find(commit);
    return known == authors_.end() ? std::string() : known->second;
  }

  /// What cannot be noted is said in the log; it happened all the same.
  void note(const AuditNote& what) {
    if (auto noted = audit_.note(what); !noted) base::log(Level::Error, "audit-not-written", noted.error().text());
  }

  // --- publish -------------------------------------------------------------

  void publish(std::stop_token stop) {
    if (!take_term(stop)) return;
    Trouble trouble("push-failed", "push-works");
    while (!stop.stop_requested()) {
      const auto current = current_.get();
      vitals_.back_by(Vitals::Part::Publish,
                      clock_.now() + config_.heartbeat + 3 * current->git_deadline + current->publish);
      publish_wake_.wait_until(clock_.now() + config_.heartbeat, stop);
      if (stop.stop_requested()) return;
      auto flushed = publisher_.flush({clock_.now() + git_deadline(), stop});
      if (stop.stop_requested()) return;
      if (flushed) {
        trouble.over();
        if (flushed->commit) {
          note_exchange("push", true);
          base::log(Level::Info, "status-pushed", fmt::format("{} documents", flushed->documents),
                    {{"commit", *flushed->commit}});
        }
      } else {
        note_exchange("push", false);
        trouble.met(flushed.error());
        if (deposed()) return vitals_.over(Vitals::Part::Publish);
        publish_wake_.wake();  // what could not be pushed is tried again
      }
      set_detail(push_detail_, trouble.text());
      pause(current_.get()->publish, stop);
    }
  }

  bool take_term(std::stop_token stop) {
    while (!placed_) {
      if (stop.stop_requested()) return false;
      publish_wake_.wait(stop);
    }
    Trouble trouble("term-not-taken", "forge-answers");
    milliseconds delay = kFirstRetry;
    while (!stop.stop_requested()) {
      vitals_.back_by(Vitals::Part::Publish, clock_.now() + 3 * git_deadline() + 2 * delay);
      auto taken = publisher_.take_term({clock_.now() + git_deadline(), stop});
      if (taken) {
        trouble.over();
        set_detail(push_detail_, "");
        note_exchange("push", true);
        base::log(Level::Info, "term-taken", "this controller may write now", {{"term", std::to_string(taken->term)}});
        compare_memories(*taken);
        live_.seed(taken->documents);
        board_.seed(taken->documents);
        life_.seed(taken->documents);
        note({.type = "term", .machine = {}, .by = config_.id, .reason = "took term " + std::to_string(taken->term)});
        events_.publish("controller", "", base::Json::object({{"headline", "term taken"}, {"term", taken->term}}));
        fleet_.look_at_all();
        return true;
      }
      trouble.met(taken.error());
      note_exchange("push", false);
      set_detail(push_detail_, "no term yet: " + taken.error().text());
      pause(with_jitter(delay), stop);
      delay = std::min(delay * 2, current_.get()->poll);
    }
    return false;
  }

  /// A data folder that knows less than the branch was restored from a copy, or is
  /// shared. What the branch says counts; a person should know.
  void compare_memories(const TermTaken& taken) {
    const std::string key = "term";
    const auto known = journal_->recall(key);
    const bool ours = taken.before && taken.before->id == config_.id;
    if (ours && known && *known && **known != std::to_string(taken.before->term)) {
      base::log(Level::Error, "data-folder-older",
                "the data folder is an older copy, or another controller has the same id; the status branch counts",
                {{"folder_term", **known}, {"branch_term", std::to_string(taken.before->term)}});
      metrics_.set("nimbus_data_folder_older", {}, 1);
    }
    if (auto kept = journal_->remember(key, std::to_string(taken.term)); !kept) {
      base::log(Level::Error, "journal-failed", kept.error().text());
    }
  }

  bool deposed() {
    const Authority authority = publisher_.authority();
    if (authority.state != Authority::State::Deposed) return false;
    set_detail(push_detail_, "deposed: " + authority.detail);
    note({.type = "deposed", .machine = {}, .by = {}, .reason = authority.detail});
    events_.publish("controller", "", base::Json::object({{"headline", "another controller took over"}}));
    base::log(Level::Error, "deposed", "another controller took over; this one only observes until it is restarted",
              {{"detail", authority.detail}});
    return true;
  }

  /// A wait that only a stop request shortens.
  void pause(milliseconds delay, std::stop_token stop) {
    Wake nobody;
    nobody.wait_until(clock_.now() + delay, std::move(stop));
  }

  // --- what others see -----------------------------------------------------

  void note_exchange(const char* operation, bool worked) {
    metrics_.count(fmt::format("nimbus_git_{}_total", operation), {{"result", worked ? "success" : "error"}});
    if (!worked) return;
    const auto seconds = std::chrono::duration<double>(clock_.wall().time_since_epoch()).count();
    metrics_.set("nimbus_git_last_success_timestamp_seconds", {{"operation", operation}}, seconds);
  }

  void set_detail(std::string& which, std::string text) {
    const std::lock_guard lock(details_mutex_);
    which = std::move(text);
  }

  Readiness readiness() {
    const Authority authority = publisher_.authority();
    const std::lock_guard lock(details_mutex_);
    Readiness state;
    state.ready = authority.state == Authority::State::Held && taken_;
    for (const auto& detail : {fetch_detail_, hold_detail_, registry_detail_, place_detail_, push_detail_}) {
      if (!detail.empty()) state.detail += detail + "\n";
    }
    return state;
  }

  ApiContext api_context() {
    return {.clock = clock_,
            .board = live_,
            .events = events_,
            .holds = holds_,
            .peers = peers_,
            .controller = [this] { return controller_view(); },
            .journal =
                [this](const std::string& machine) {
                  return journal_->last_runs({config_.provider, machine}, Journal::kRunsKept);
                },
            .look_at = [this](const std::string& machine) { return fleet_.look_at(machine); },
            .look_at_all = [this] { fleet_.look_at_all(); },
            .fetch_now = [this] { watch_wake_.wake(); },
            .changed =
                [this](const ApiChange& change) {
                  note({.type = change.what, .machine = change.machine, .by = change.by, .reason = change.reason});
                  base::log(Level::Info, "api-change", change.what,
                            {{"machine", change.machine}, {"by", change.by}, {"reason", change.reason}});
                }};
  }

  RouteObserver http_observer() {
    return [this](const ApiRoute& route, int status, std::chrono::nanoseconds took) {
      metrics_.count("nimbus_http_requests_total",
                     {{"route", route.path}, {"method", route.method}, {"code", std::to_string(status)}});
      metrics_.observe_seconds("nimbus_http_request_duration_seconds", {{"route", route.path}},
                               std::chrono::duration<double>(took).count());
    };
  }

  ControllerView controller_view() {
    const Authority authority = publisher_.authority();
    const auto state = readiness();
    const auto depth = queue_.depth();
    return {.provider = config_.provider,
            .id = config_.id,
            .authority = authority.state == Authority::State::Held      ? "held"
                         : authority.state == Authority::State::Deposed ? "deposed"
                                                                        : "starting",
            .term = authority.term,
            .detail = state.detail,
            .ready = state.ready,
            .started = started_,
            .queued = depth.queued,
            .running = depth.running,
            .status_waiting = publisher_.waiting()};
  }

  Result<std::unique_ptr<Bmc>> attach(const BmcEndpoint& endpoint) {
    auto bmc = drivers_.attach(endpoint, secrets_);
    if (!bmc) return bmc;
    return metered(std::move(*bmc), [this, driver = endpoint.driver](std::string_view code, double seconds) {
      meter_bmc(metrics_, driver, code, seconds);
    });
  }

  void refresh_metrics() {
    process_meter_.refresh(metrics_);
    metrics_.set("nimbus_audit_records", {}, static_cast<double>(chain_->head().seq));
    metrics_.set("nimbus_sse_clients", {}, static_cast<double>(events_.subscribers()));
    set_gauges(metrics_, {.fleet = fleet_.counts(),
                          .queue = queue_.depth(),
                          .oldest_wait = queue_.oldest_wait(),
                          .authority = publisher_.authority(),
                          .problems = fleet_.accepted()->problems.size(),
                          .status_waiting = publisher_.waiting()});
  }

  const Config config_;  // as it was at the start
  LiveConfig current_;   // what may change is read from here
  const std::unique_ptr<const base::SystemClock> clock_owner_;
  const base::SystemClock& clock_;
  const registry::GitRemote remote_;
  const registry::GitRemote status_remote_;
  registry::GitRepository mirror_;  // used by the watch thread only, once started
  const std::unique_ptr<Journal> journal_;
  const std::unique_ptr<base::ChainLog> chain_;
  AuditedRunLog audit_;
  std::mutex authors_mutex_;
  std::map<std::string, std::string> authors_;  // of commits in force
  drivers::DriverTable drivers_;
  const base::FileSecrets secrets_;
  const LocalHolds holds_;
  base::Metrics metrics_;
  ProcessMeter process_meter_;
  registry::GitProgram git_;
  WorkQueue queue_;
  std::optional<registry::SshSigner> signer_;
  Publisher publisher_;
  TermCheck term_check_;
  Wake watch_wake_;
  Wake publish_wake_;
  StatusBoard board_;
  PowerOnPace pace_;
  RebootBudget reboots_;
  InspectionPace inspections_;
  ZoneTable zones_;
  EventLog events_;
  LiveBoard live_;
  const WallTime started_;
  Vitals vitals_;
  const std::shared_ptr<WebhookSecrets> webhook_secrets_ = std::make_shared<WebhookSecrets>();
  PeerPolicy peers_;  // set before anything is served
  UnixBootService boot_;
  Lifecycle life_;
  Fleet fleet_;
  Watcher watcher_;
  Intake intake_;
  std::atomic<bool> taken_{false};
  std::atomic<bool> placed_{false};
  std::string place_;              // where status goes, for the watch thread
  bool status_elsewhere_ = false;  // in another repository; for the watch thread
  std::string last_held_;

  std::mutex details_mutex_;
  std::string fetch_detail_, hold_detail_, registry_detail_, place_detail_, push_detail_;

  std::unique_ptr<ForgeReporter> reporter_;  // null: no commit statuses
  std::unique_ptr<base::HttpServer> server_;
  std::unique_ptr<base::HttpServer> control_;  // the UNIX socket
  std::vector<std::jthread> threads_;
  std::vector<std::jthread> workers_;
  bool stopped_ = false;
};

Result<std::unique_ptr<Daemon>> Daemon::start(const Config& config) {
  if (auto made = base::make_folders(config.data, 0700); !made) return std::move(made.error());
  auto remote = open_remote(config.registry);
  if (!remote) return std::move(remote.error());
  auto status_remote = open_remote(status_config(config));
  if (!status_remote) return std::move(status_remote.error());
  auto mirror = registry::GitRepository::open_or_create(mirror_path(config));
  if (!mirror) return std::move(mirror.error()).with("while opening the mirror");
  auto journal = Journal::open(config.data + "/journal.sqlite");
  if (!journal) return std::move(journal.error()).with("while opening the journal");
  // The journal is ours alone, so no other controller's Git program can hold a lock.
  if (auto cleaned = mirror->remove_stale_locks(); !cleaned) return std::move(cleaned.error());
  auto chain = base::ChainLog::open({.folder = config.audit});
  if (!chain) return std::move(chain.error()).with("while opening the audit log");
  auto clock = std::make_unique<const base::SystemClock>();
  std::optional<registry::SshSigner> signer;
  if (!config.status.signing_key.empty()) {
    auto made = registry::SshSigner::make(config.status.signing_key, *clock);
    if (!made) return std::move(made.error()).with("while trying [status] signing_key");
    signer = std::move(*made);
  }
  auto cas = read_cas(config);
  if (!cas) return std::move(cas.error());
  auto drivers = drivers::make_drivers({.cas = std::move(*cas)}, *clock);
  if (!drivers) return std::move(drivers.error());

  auto impl =
      std::make_unique<Impl>(config, std::move(clock), std::move(*remote), std::move(*status_remote), std::move(signer),
                             std::move(*mirror), std::move(*journal), std::move(*chain), std::move(*drivers));
  if (auto recalled = impl->recall(); !recalled) return std::move(recalled.error());
  if (auto recalled = impl->recall_open_runs(); !recalled) return std::move(recalled.error());
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
