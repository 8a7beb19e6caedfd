// What nimbusd serves: health, metrics, webhooks and the API for reading on the TCP
// address; the same and the changes on the UNIX socket.
#include <chrono>
#include <utility>

#include "base/file/file.hpp"
#include "base/log/log.hpp"
#include "controller/daemon_impl.hpp"
#include "controller/host_json.hpp"

namespace nimbus::controller {

using base::Level;

Result<> Daemon::Impl::serve() {
  if (auto loaded = webhook_secrets_->load(config_.webhooks); !loaded) return loaded;
  auto routes = make_routes(config_, metrics_,
                            {.fetch_now = [this] { watching_.wake(); },
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

/// For people on this machine. Everybody may connect: reading is open to all of them
/// anyway, and who may change is asked of the kernel.
Result<> Daemon::Impl::serve_control(std::vector<base::HttpRoute> routes) {
  constexpr unsigned kForAll = 0666;
  auto changing = to_http_routes(changing_routes(api_context()), clock_, http_observer());
  routes.insert(routes.end(), changing.begin(), changing.end());
  const std::string address = "unix:" + config_.control_socket;
  auto server = base::HttpServer::start({.address = address, .unix_mode = kForAll}, std::move(routes), {.workers = 4});
  if (!server) return std::move(server.error()).with("while listening on " + address);
  control_ = std::move(*server);
  return {};
}

ApiContext Daemon::Impl::api_context() {
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
          .fetch_now = [this] { watching_.wake(); },
          .confirm = [this](const std::string& commit) { return watching_.confirm(commit); },
          .changed =
              [this](const ApiChange& change) {
                note({.type = change.what, .machine = change.machine, .by = change.by, .reason = change.reason});
                base::log(Level::Info, "api-change", change.what,
                          {{"machine", change.machine}, {"by", change.by}, {"reason", change.reason}});
              },
          .hosts =
              [this] {
                std::vector<base::Json> out;
                for (const auto& view : hosts_.hosts().all()) {
                  out.push_back(host_json(view));
                }
                return out;
              },
          .host =
              [this](const std::string& instance) {
                const auto view = hosts_.hosts().view(instance);
                return view ? host_json(*view) : base::Json();
              },
          .look_at_host = [this](const std::string& instance) { return hosts_.hosts().look_at(instance); },
          .consoles = console_access()};
}

ConsoleAccess Daemon::Impl::console_access() {
  return {
      .attach = [this](const std::string& machine) { return consoles_.attach(machine); },
      .read = [this](const std::string& machine, std::int64_t after) { return consoles_.read(machine, after); },
      .type = [this](const std::string& machine, const std::string& keys) { return consoles_.type(machine, keys); }};
}

RouteObserver Daemon::Impl::http_observer() {
  return [this](const ApiRoute& route, int status, std::chrono::nanoseconds took) {
    metrics_.count("nimbus_http_requests_total",
                   {{"route", route.path}, {"method", route.method}, {"code", std::to_string(status)}});
    metrics_.observe_seconds("nimbus_http_request_duration_seconds", {{"route", route.path}},
                             std::chrono::duration<double>(took).count());
  };
}

Readiness Daemon::Impl::readiness() {
  const bool held = publisher_.authority().state == Authority::State::Held;
  return {.ready = held && watching_.taken(), .detail = details_.text()};
}

ControllerView Daemon::Impl::controller_view() {
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

void Daemon::Impl::refresh_metrics() {
  process_meter_.refresh(metrics_);
  metrics_.set("nimbus_audit_records", {}, static_cast<double>(chain_->head().seq));
  metrics_.set("nimbus_sse_clients", {}, static_cast<double>(events_.subscribers()));
  metrics_.set("nimbus_bmc_event_streams", {}, static_cast<double>(drivers_.hint_streams()));
  set_gauges(metrics_, {.fleet = fleet_.counts(),
                        .queue = queue_.depth(),
                        .oldest_wait = queue_.oldest_wait(),
                        .authority = publisher_.authority(),
                        .problems = fleet_.accepted()->problems.size(),
                        .status_waiting = publisher_.waiting()});
}

}  // namespace nimbus::controller
