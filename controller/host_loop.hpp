// The third loop of nimbusd, wired: hosts that are configured, their queue and workers, and
// what they tell the journal, the audit log, status, metrics and the log.
//
// Thread rule: safe from any thread; start() and stop() once each.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "controller/api/event_log.hpp"
#include "controller/config/config.hpp"
#include "controller/configure/hosts.hpp"
#include "controller/configure/instance_board.hpp"
#include "controller/host_meter.hpp"
#include "controller/journal/journal.hpp"
#include "core/ports/secrets.hpp"
#include "registry/git/repository.hpp"

namespace nimbus::controller {

class HostLoop final : public FactSink {
 public:
  /// All references must outlive the loop.
  struct Tools {
    const Config& config;
    const Clock& clock;
    HostDriver* driver = nullptr;  // null: no host is looked at, and status says so
    std::string public_key;
    registry::GitRepository files;
    Journal& journal;
    const Secrets& secrets;
    base::Metrics& metrics;
    EventLog& events;
    InstanceBoard& board;
    FactSink& next;
    std::function<Authority()> authority;
    std::function<std::string(const std::string& machine)> local_hold;
    /// A script on a host came to its end, whatever that was.
    std::function<void()> stepped;
    /// A line in the audit log.
    std::function<Result<>(const std::string& type, const std::string& machine, const std::string& text)> note;
    std::function<std::string(const std::string& commit)> author;
  };

  explicit HostLoop(Tools tools);

  /// Corrections that a crash left open are told. Errors: the journal cannot be read.
  Result<> recall();
  void start();
  /// No new work; running passes end; sessions are closed.
  void stop();
  void set_limits(const Config& config);
  /// How long a worker may be between two steps: a script, and an answer of the forge about the term.
  static std::chrono::milliseconds step_limit(const Config& config);

  void accepted(const std::shared_ptr<const AcceptedRegistry>& registry);
  void seen(const MachineFacts& facts) override { hosts_.seen(facts); }
  Hosts& hosts() { return hosts_; }
  /// How long the host that has been due, or under way, for longest has been so.
  std::chrono::milliseconds longest() const { return std::max(queue_.oldest_wait(), hosts_.longest_under_way()); }

 private:
  Hosts::Tools hosts_tools();
  HostTools pass_tools();
  AccessStore access_store();
  bool has_own_account(const HostTarget& target) const;
  registry::HostBuild build(const HostTarget& target);
  Result<> note(const std::string& what, const HostTarget& target, const std::string& detail);
  void told(const HostTarget& target, const HostReport& report);
  void told_without_key(const HostTarget& target);
  void dropped(const HostAccess& access, const std::optional<Error>& error);
  std::string key_of(const char* kind, const std::string& instance) const;

  Tools tools_;
  std::mutex files_mutex_;  // of tools_.files: a repository is for one thread at a time
  HostMeter meter_;
  WorkQueue queue_;
  std::mutex mutex_;                         // of all up to hosts_
  bool told_without_key_ = false;            // the log was told
  std::map<std::string, std::string> last_;  // what the log said of a host; empty: all is well
  Hosts hosts_;
  std::vector<std::jthread> workers_;
};

}  // namespace nimbus::controller
