// The hosts that this provider's instances run on, each looked at by one worker at a time:
// whenever its turn comes, at once when what is declared changed, and when a person asks.
//
// Who is one: an instance whose `configuration` is "observe" or "enforce", and that runs
// here, installed by us (then the machine's own passes say where, and with which host key)
// or adopted (then its file does). Its access is remembered in the journal; when nobody
// wants it any more, a last script takes it away.
//
// The queue and the workers are its own: a host that takes its time delays no BMC.
// Thread rule: safe from any thread; any number of workers.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

#include "controller/configure/access.hpp"
#include "controller/configure/host_pass.hpp"
#include "controller/fleet/accepted.hpp"
#include "controller/fleet/facts.hpp"
#include "controller/work/queue.hpp"

namespace nimbus::controller {

/// For the API: what is known of a host now.
struct HostView {
  HostTarget target;
  std::shared_ptr<const HostReport> report;  // null: not looked at yet
  WallTime next_look{};                      // about when
  bool running = false;                      // a pass is under way
};

class Hosts final : public FactSink {
 public:
  struct Tools {
    HostTools pass;
    std::string provider;
    std::string user;        // whom we log in as
    std::string public_key;  // "ssh-ed25519 AAAA…" of the controller
    HostLimits limits;
    std::function<double()> jitter;  // in [0, 1); called from several threads
    AccessStore access;
    /// After each pass.
    std::function<void(const HostTarget&, const HostReport&, WallTime next_look)> told;
    /// Nothing is configured there any more; `error`: why our access could not be taken away yet.
    std::function<void(const HostAccess&, const std::optional<Error>& error)> dropped;
    /// A host is no longer looked at (its machine is off, or not installed).
    std::function<void(const std::string& instance)> forgotten = [](const std::string&) {};
  };

  /// All that `tools` refers to, and `queue`, must outlive this.
  Hosts(WorkQueue& queue, Tools tools, FactSink& next);

  /// What is in force now. Errors: the journal cannot be read.
  Result<> accept(const std::shared_ptr<const AcceptedRegistry>& registry);
  /// A machine was looked at: what runs on it, and where. Passes the facts on.
  void seen(const MachineFacts& facts) override;
  /// This controller may write now.
  void look_at_all();
  /// A person asks: what was held is tried again. False: no such host.
  bool look_at(const std::string& instance);
  void set_limits(const HostLimits& limits);

  /// A worker's life: passes until `stop` or the queue's end.
  void work(std::stop_token stop);
  /// One pass over what is due now, without waiting. False: nothing is.
  bool work_once(std::stop_token stop);
  /// How long the host that has been worked on for longest has been.
  std::chrono::milliseconds longest_under_way() const;
  /// Ends the sessions; after the last worker has returned.
  void close(const Call& call);

  std::optional<HostView> view(const std::string& instance) const;
  std::vector<HostView> all() const;

 private:
  struct Place {  // of what we installed
    std::string machine, address, host_key;
    friend bool operator==(const Place&, const Place&) = default;
  };
  struct Slot {
    HostMemory memory;  // of its worker
    std::shared_ptr<const HostReport> report;
    std::string digest;  // that it was queued for
    WallTime next_look{};
    int failures = 0;
    bool running = false;
    MonoTime since{};                  // running
    bool forgive = false;              // a person asked: what is held is tried again
    std::optional<HostAccess> access;  // as it is remembered
  };

  std::optional<HostTarget> target_of(const std::string& instance) const;
  std::optional<Refusal> superseded(const HostTarget& target) const;
  std::optional<Refusal> may_not_drop(const HostAccess& access) const;
  std::optional<HostAccess> heir_of(const HostAccess& access) const;
  void queue_if_changed(const std::string& instance, Lane lane);
  void pass_over(const std::string& instance, std::stop_token stop);
  void drop_access(const std::string& instance, std::stop_token stop);
  void keep_access(const HostTarget& target, Slot& slot);
  std::chrono::milliseconds wait_after(const HostReport& report, Slot& slot);
  static std::chrono::milliseconds retry_after(int failures);
  std::chrono::milliseconds with_jitter(std::chrono::milliseconds delay) const;

  const std::string provider_;
  WorkQueue& queue_;
  const Tools tools_;
  FactSink& next_;
  mutable std::mutex mutex_;  // of all below; a slot's memory belongs to its worker
  HostLimits limits_;
  std::shared_ptr<const AcceptedRegistry> registry_;
  std::map<std::string, registry::EntryPtr<Instance>> wanted_;
  std::map<std::string, Place> places_;        // by instance
  std::map<std::string, std::string> on_;      // machine -> instance that was seen there
  std::map<std::string, HostAccess> leaving_;  // configured once, wanted no more
  std::map<std::string, std::unique_ptr<Slot>> slots_;
};

}  // namespace nimbus::controller
