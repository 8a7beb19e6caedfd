// Lifecycle: instances to machines, and back. Places instances, claims machines, runs
// installs and erasures step by step, and tells status.
//
// A machine's record belongs to the worker that has its pass: it works on a copy and
// puts it back. Every change is in the journal before it has an effect outside.
// Thread rule: safe from any thread; step() one call at a time per machine.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "controller/fleet/accepted.hpp"
#include "controller/install/boot_client.hpp"
#include "controller/install/console_log.hpp"
#include "controller/install/limits.hpp"
#include "controller/install/records.hpp"
#include "controller/install/wish.hpp"
#include "controller/machine/disruption.hpp"
#include "controller/machine/life.hpp"
#include "controller/work/shared_exchange.hpp"
#include "core/ports/clock.hpp"
#include "reconcilers/placement/place.hpp"
#include "registry/status/instance_status.hpp"

namespace nimbus::controller {

struct LifecycleTools {
  const Clock& clock;
  std::string provider;
  LifeStore store;
  /// By the network that each serves; one without a name serves the only network that machines boot from.
  std::map<std::string, BootService*> boots;
  std::function<Result<reconcilers::SshAnswer>(const std::string& address, const std::string& host_key, const Call&)>
      ssh;
  /// The status document that the forge has acknowledged; nothing: none.
  std::function<std::optional<std::string>(const std::string& path)> acknowledged;
  std::function<void(const std::string& path, const std::string& text, const std::string& event)> publish;
  std::vector<std::string> image_sources;  // beginnings of URLs
  reconcilers::InstallPolicy policy;
  std::string host_user, host_key;  // the controller's access to hosts that are configured; empty: it has none
  ConsoleLog* consoles = nullptr;   // null: nothing is recorded
  DisruptionTools disruption = {};  // its windows and its pace
  /// Asks for a pass of a machine soon.
  std::function<void(const std::string& machine)> look_at = [](const std::string&) {};
};

class Lifecycle final : public MachineLife {
 public:
  explicit Lifecycle(LifecycleTools tools);

  /// What is in force now; whether the instances' wishes are others than before. Errors:
  /// the journal cannot be read; then nothing changes.
  Result<bool> accept(const AcceptedRegistry& registry, Wishes wishes);
  /// Tells each nimbus-boot what it is to serve no more, if a machine left the registry in
  /// the middle of a run: no pass of that machine does. Takes as long as they take.
  void withdraw(const Call& call);
  /// The status documents, read back when the term was taken.
  void seed(const std::map<std::string, std::string>& documents);

  std::optional<LifeFacts> step(const LifeInput& input) override;
  void unread(const DesiredMachine& desired, const std::string& why) override;

 private:
  struct Slot {
    std::shared_ptr<const DesiredMachine> desired;
    std::string adopted;  // an instance that runs here without us having installed it; empty: none
    std::string key;      // of the record in the journal; empty: it has none
    LifeRecord record;
    bool known = false;    // the record is from the journal, or from status
    bool boots = false;    // it is about to be switched on for the installer
    bool healthy = false;  // as the last pass saw it
    std::string unhealthy = "not looked at yet";
    std::optional<WallTime> silent_since;  // the BMC could not be read since
  };
  friend class LifeStep;

  Result<> assign(const AcceptedRegistry& registry);
  Result<> keep(const std::string& machine, const LifeRecord& record);
  bool is_protected(const std::string& instance) const;
  Result<> keep_protection();
  void adopt(const std::string& machine, Slot& slot);
  struct ToldClaim {
    std::string path, machine, instance;
    Identity identity;  // of the machine
  };
  static std::vector<ToldClaim> claims_in(const std::map<std::string, std::string>& documents);
  void take_over_claims();
  const std::pair<const std::string, std::string>* document_of(const DesiredMachine& desired) const;
  std::optional<registry::InstanceStatus> published(const std::string& id) const;
  struct BootPost {
    BootService* service = nullptr;
    SharedExchange telling;
    bool due = true;  // it must be told
  };
  std::string only_network() const;
  std::optional<std::string> post_of(const std::string& network) const;
  void orders_changed(const std::string& network);
  std::vector<std::string> posts_due(const std::string& network) const;
  static bool braked(const DesiredMachine& desired);
  boot::Orders orders(const std::string& post) const;
  Result<> tell(const std::string& post, const Call& call);
  std::set<std::string> bmc_addresses() const;
  LifeLoad load_beside(const std::string& machine) const;
  /// Tells the nimbus-boot of that network what is to be served; nothing is done if there is none.
  Result<> serve(const std::string& network, const Call& call);
  void distrust(const std::string& network);
  /// Null: nobody serves that network; unserved() says so.
  BootService* boot_of(const std::string& network) const;
  static std::string unserved(const std::string& network);
  reconcilers::Candidate candidate_of(const Slot& slot, const std::string& only_network) const;
  struct PlacementRound;
  PlacementRound new_round() const;
  struct Instead {
    std::string machine, none;  // one of them is empty
  };
  Instead machine_instead(const std::string& id, const InstanceWish& wish) const;
  int displaced_for(const std::string& id) const;
  void tell_silence(const Slot& slot, const std::string& machine, const std::string& why);
  std::vector<std::string> place();
  void place_one(PlacementRound& round, std::size_t number, const std::string& id, const InstanceWish& wish);
  bool claim(const std::string& machine, const std::string& id, const InstanceWish& wish, std::set<std::string>& taken);
  void tell_instance(const std::string& id, const registry::InstanceStatus& status, const std::string& event);

  const LifecycleTools tools_;
  mutable std::mutex mutex_;  // of all below
  std::shared_ptr<const Wishes> wishes_ = std::make_shared<const Wishes>();
  bool placement_due_ = true;  // something changed that placement depends on
  MonoTime place_again_{};     // not earlier
  Policy policy_;
  bool accepted_ = false;
  bool run_left_ = false;  // a machine left the registry in the middle of a run
  bool seeded_ = false;
  LifeRecords records_;
  std::map<std::string, LifeRecords::Absent> absent_;  // instances whose machine left the registry
  std::map<std::string, BootPost> posts_;              // by network; its keys and services stay as they are
  std::map<std::string, Slot> slots_;                  // by machine
  std::map<std::string, std::string> documents_;       // of machines, read back; until adopted
  std::set<std::string> removed_protected_;            // instances whose file went while it said so
  std::vector<ToldClaim> told_claims_;                 // by status, read back; until the journal knows them
  std::map<std::string, std::string> told_;            // of instances: id -> text
};

}  // namespace nimbus::controller
