// The fleet: the machines of the accepted registry, each looked at by one worker at
// a time, whenever the queue says so.
//
// Where a driver reads power of many BMCs at once, a steady machine that is due takes
// along those that are due soon: one worker waits once for all of them, and each has
// its own pass afterwards.
//
// Thread rule: accept() and work() are safe from any thread; any number of workers.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "controller/fleet/accepted.hpp"
#include "controller/fleet/facts.hpp"
#include "controller/machine/cadence.hpp"
#include "controller/machine/pass.hpp"
#include "controller/work/queue.hpp"

namespace nimbus::controller {

/// Counts of the whole fleet, for metrics.
struct FleetCounts {
  std::size_t machines = 0;
  std::size_t stalled = 0;
  std::size_t unreachable = 0;
  std::size_t on = 0;
  std::size_t off = 0;
};

/// How machines that are only looked at are asked for their power together. Called from several threads.
struct PowerBatch {
  /// Whether machines with this driver are.
  std::function<bool(const std::string& driver)> possible = [](const std::string&) { return false; };
  /// As BmcDriver::powers, of BMCs that PassTools::attach made.
  std::function<std::vector<Result<PowerState>>(const std::string& driver, const std::vector<Bmc*>&, const Call&)> ask;
};

class Fleet {
 public:
  struct Tools {
    PassTools pass;
    CadenceLimits cadence;
    RunLog& runs;
    FactSink& facts;
    std::function<double()> jitter;  // in [0, 1); called from several threads
    PowerBatch batch = {};
    /// After each pass: kind of result ("success", "error", "refused") and duration.
    std::function<void(const MachineReport&, std::chrono::milliseconds)> passed;
    /// A worker begins a pass, and nobody is left to begin the next one.
    std::function<void()> short_of_workers = [] {};
  };

  Fleet(std::string provider, WorkQueue& queue, Tools tools);

  /// What may change while it runs; counts from the next pass on.
  struct Limits {
    reconcilers::PowerPolicy power;
    std::chrono::milliseconds deadline;  // of one pass
    CadenceLimits cadence;
  };
  void set_limits(const Limits& limits);

  /// Takes over what is accepted now. Machines whose desired digest or stall changed
  /// are queued at once, new ones spread over a moment, and removed ones released.
  void accept(std::shared_ptr<const AcceptedRegistry> registry);
  std::shared_ptr<const AcceptedRegistry> accepted() const;
  /// Something that concerns all machines changed (this controller may write now).
  void look_at_all();
  /// A person asks for it: before everything else. False: no such machine.
  bool look_at(const std::string& machine);
  /// Its BMC hints that something changed: a look, but not more than one every kBetweenHints, and none for a
  /// machine that is not prompt.
  void hint(const std::string& machine);
  static constexpr std::chrono::seconds kBetweenHints{5};

  /// A worker's life: passes until `stop` or the queue's end.
  void work(std::stop_token stop);
  /// One pass over what is due now, without waiting. False: nothing is.
  bool work_once(std::stop_token stop);

  /// Ends the BMC sessions; after the last worker has returned.
  void close(const Call& call);

  FleetCounts counts() const;

 private:
  struct Slot {
    explicit Slot(PowerRuns runs) : memory(std::move(runs)) {}
    MachineMemory memory;
    Observed<PowerState> power = Observed<PowerState>::unknown("");
    bool slow = false;    // as the breaker says: events wait in the slow lane too
    bool steady = false;  // the last pass had nothing to do and nothing to wait for
    int alone = 0;        // looks that it has by itself, because it kept a batch waiting
    int failures = 0;
    MonoTime hinted_look{};  // the last look that a hint made, or the next one
  };

  void pass_over(const std::string& name, std::stop_token stop);
  /// When a new machine is looked at first, in a fleet of so many.
  std::chrono::milliseconds first_look(std::size_t machines) const;
  void poll_along(const std::string& name, const std::stop_token& stop);
  Slot* pollable(const AcceptedRegistry& registry, const std::string& name, const std::string& driver);
  std::chrono::milliseconds look_ahead() const;
  std::optional<Refusal> superseded(const std::string& name, const AcceptedMachine& machine) const;
  void release(const std::string& name);
  Slot& slot(const std::string& name);
  void queue_event(const std::string& name, const AcceptedMachine& machine);

  const std::string provider_;
  WorkQueue& queue_;
  const Tools tools_;
  mutable std::mutex mutex_;  // of the members below; a slot's memory belongs to its worker
  Limits limits_;
  std::shared_ptr<const AcceptedRegistry> registry_;
  std::map<std::string, std::unique_ptr<Slot>> slots_;
};

}  // namespace nimbus::controller
