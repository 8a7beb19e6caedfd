// The parts of nimbusd: what lives as long as the program, in the order in which the parts
// need each other. What they get of each other is in daemon_tools.cpp, what happens to all of
// them in daemon_events.cpp, what is served in daemon_serve.cpp, the life of the whole in daemon.cpp.
//
// Thread rule: the parts say their own; this class only hands them to the threads.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/http/server.hpp"
#include "base/metrics/metrics.hpp"
#include "base/secrets/file_secrets.hpp"
#include "controller/api/api.hpp"
#include "controller/audit/audit.hpp"
#include "controller/daemon.hpp"
#include "controller/fleet/fleet.hpp"
#include "controller/forge/reporter.hpp"
#include "controller/holds/holds.hpp"
#include "controller/host_loop.hpp"
#include "controller/install/lifecycle.hpp"
#include "controller/journal/journal.hpp"
#include "controller/loops/crew.hpp"
#include "controller/loops/publish_loop.hpp"
#include "controller/loops/watch_loop.hpp"
#include "controller/meters.hpp"
#include "controller/opened_parts.hpp"
#include "controller/publisher/publisher.hpp"
#include "controller/serve/routes.hpp"
#include "controller/status/board.hpp"
#include "controller/watch/term_check.hpp"
#include "controller/work/queue.hpp"
#include "controller/work/vitals.hpp"
#include "controller/zone_table.hpp"
#include "registry/git/git_program.hpp"

namespace nimbus::controller {

class Daemon::Impl {
 public:
  Impl(const Config& config, OpenedParts opened);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  /// What was under way when the program ended counts on.
  Result<> recall();
  Result<> prepare_forge();
  Result<> serve();
  void start_threads();
  void add_worker();

  Result<Reload> reload(const Config& next);
  std::string standstill() const;
  std::string summary();
  void stop();

 private:
  Result<> recall_reboots();
  Result<> recall_open_runs();

  // What the parts need of each other.
  PublisherOptions publisher_options(registry::GitRemote remote);
  StatusBoard::Outlet outlet();
  std::map<std::string, BootService*> boots();
  LifecycleTools lifecycle_tools();
  PassTools pass_tools();
  HostLoop::Tools host_tools(registry::GitRepository files);
  Fleet::Tools fleet_tools();
  PublishLoop::Tools publish_tools();
  WatchLoop::Tools watch_tools();
  Result<std::unique_ptr<Bmc>> attach(const BmcEndpoint& endpoint);
  std::vector<Result<PowerState>> powers(const std::string& driver, const std::vector<Bmc*>& bmcs, const Call& call);
  void accepted(const std::shared_ptr<const AcceptedRegistry>& registry, const registry::GitRepository& mirror);
  void count_descriptors(std::size_t machines);
  bool accept_life(const AcceptedRegistry& registry, const registry::GitRepository& mirror);
  void term_taken(const TermTaken& taken);
  void deposed(const std::string& detail);
  void note(const AuditNote& what);

  // What is served.
  Result<> serve_control(std::vector<base::HttpRoute> routes);
  ApiContext api_context();
  ConsoleAccess console_access();
  RouteObserver http_observer();
  Readiness readiness();
  ControllerView controller_view();
  void refresh_metrics();

  const Config config_;  // as it was at the start
  LiveConfig current_;   // what may change is read from here
  const std::unique_ptr<const base::SystemClock> clock_owner_;
  const base::SystemClock& clock_;
  const WallTime started_;
  const registry::GitRemote remote_;
  const std::unique_ptr<Journal> journal_;
  const std::unique_ptr<base::ChainLog> chain_;
  Authors authors_;
  AuditedRunLog audit_;
  drivers::DriverTable drivers_;
  const std::string host_public_key_;  // ours; empty: hosts are not looked at
  const base::FileSecrets secrets_;
  const LocalHolds holds_;
  base::Metrics metrics_;
  ProcessMeter process_meter_;
  registry::GitProgram git_;
  WorkQueue queue_;
  std::optional<registry::SshSigner> signer_;
  Publisher publisher_;
  Details details_;
  StatusPlace place_;
  TermCheck term_check_;
  StatusBoard board_;
  PowerOnPace pace_;
  RebootBudget reboots_;
  InspectionPace inspections_;
  ZoneTable zones_;
  EventLog events_;
  LiveBoard live_;
  Vitals vitals_;
  InstanceBoard instances_;
  std::vector<std::unique_ptr<UnixBootService>> boots_;
  ConsoleLog consoles_;
  Lifecycle life_;
  const std::unique_ptr<HostDriver> host_driver_;  // null: there is no key for hosts
  HostLoop hosts_;
  Fleet fleet_;
  PublishLoop publishing_;
  WatchLoop watching_;

  std::unique_ptr<ForgeReporter> reporter_;  // null: no commit statuses
  const std::shared_ptr<WebhookSecrets> webhook_secrets_ = std::make_shared<WebhookSecrets>();
  PeerPolicy peers_;  // set before anything is served
  std::unique_ptr<base::HttpServer> server_;
  std::unique_ptr<base::HttpServer> control_;  // the UNIX socket
  std::vector<std::jthread> threads_;
  Crew workers_;
  bool few_descriptors_ = false;  // of the watch thread
  bool stopped_ = false;
};

}  // namespace nimbus::controller
