// The event log of a machine: the System's or the manager's log service that holds
// hardware events, newest entries.
#pragma once

#include <vector>

#include "base/json/json.hpp"
#include "core/ports/bmc_observe.hpp"
#include "drivers/redfish/machine.hpp"

namespace nimbus::redfish {

/// Thread rule: as Machine, which must outlive this.
class EventLogReader final : public BmcEventLog {
 public:
  explicit EventLogReader(Machine& machine) : machine_(machine) {}
  Result<std::vector<LogEntry>> entries(std::size_t most, const Call& call) override;

 private:
  Machine& machine_;
};

/// Pure (DSP2046: LogEntry).
LogEntry read_log_entry(const base::Json& json);
/// Lower is better; services for other things (audit, lifecycle, host console) come last.
int rank_of_log(const base::Json& service);

}  // namespace nimbus::redfish
