// The live board: what the last pass found of every machine, for the API. What is
// worth a word becomes an event on the way.
//
// It stands between the fleet and the status board and hands everything on. Unlike
// status it also knows what happened before the term was taken, and measurements.
// Thread rule: safe from any thread; readers get immutable values.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "controller/api/event_log.hpp"
#include "controller/fleet/accepted.hpp"
#include "controller/fleet/facts.hpp"
#include "core/ports/clock.hpp"
#include "registry/status/machine_status.hpp"

namespace nimbus::controller {

struct LiveMachine {
  MachineFacts facts;              // `facts.machine` is what was in force at that look
  registry::MachineStatus status;  // as it would be published
  WallTime looked_at{};
  Observed<PowerState> last_power = Observed<PowerState>::unknown("");  // the newest one that was read
};

/// One word for how a machine is; its order is that of urgency, least first.
enum class MachineHealth : std::uint8_t { Ok, Attention, Unknown, Trouble };
std::string_view to_string(MachineHealth health) noexcept;
std::optional<MachineHealth> parse_machine_health(std::string_view text) noexcept;

struct HealthWord {
  MachineHealth health = MachineHealth::Unknown;
  std::string reason;  // of the condition that decides
  std::string message;
  std::optional<WallTime> since;
};
/// By the conditions, in the way that `nimbusctl status` judges a status branch.
HealthWord judge(const registry::MachineStatus& status);

class LiveBoard final : public FactSink {
 public:
  /// All references must outlive this.
  LiveBoard(const Clock& clock, FactSink& next, EventLog& events) : clock_(clock), next_(next), events_(events) {}

  void seen(const MachineFacts& facts) override;
  void accepted(std::shared_ptr<const AcceptedRegistry> registry);
  /// What the status branch knew: since when things are as they are.
  void seed(const std::map<std::string, std::string>& documents);

  struct Entry {
    std::string name;
    AcceptedMachine machine;                  // in force now
    std::shared_ptr<const LiveMachine> live;  // null: not looked at yet
  };
  std::optional<Entry> machine(const std::string& name) const;
  /// Machines whose names come after `after`, in order, at most `most`.
  std::vector<Entry> page(const std::string& after, std::size_t most) const;
  std::vector<Entry> all() const;
  /// Null until a commit was accepted.
  std::shared_ptr<const AcceptedRegistry> registry() const;

 private:
  Entry entry(const std::string& name, const AcceptedMachine& machine) const;

  const Clock& clock_;
  FactSink& next_;
  EventLog& events_;
  mutable std::mutex mutex_;  // of all below
  std::shared_ptr<const AcceptedRegistry> registry_;
  std::map<std::string, std::shared_ptr<const LiveMachine>> live_;
  std::map<std::string, registry::MachineStatus> seeds_;  // by name, until the first look after
};

}  // namespace nimbus::controller
