// The metrics of nimbusd: names, help texts and initial values in one place.
// docs/reference/metrics.md lists them; a test holds the two together.
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics/metrics.hpp"
#include "controller/fleet/fleet.hpp"
#include "controller/machine/pass.hpp"
#include "controller/work/queue.hpp"

namespace nimbus::controller {

void declare_meters(base::Metrics& metrics);

/// One pass is over.
void meter_pass(base::Metrics& metrics, const MachineReport& report, std::chrono::milliseconds duration);

/// An operation on a BMC is over. `code`: "ok", or the error's.
void meter_bmc(base::Metrics& metrics, const std::string& driver, std::string_view code, double seconds);

/// One exchange with the forge is over: "fetch" or "push".
void meter_exchange(base::Metrics& metrics, const char* operation, bool worked, WallTime now);

/// Several BMCs were asked at once, within `seconds`.
void meter_batch(base::Metrics& metrics, const std::string& driver, const std::vector<Result<PowerState>>& states,
                 double seconds);

/// What this process uses. Thread rule: safe from any thread.
class ProcessMeter {
 public:
  void refresh(base::Metrics& metrics);

 private:
  std::mutex mutex_;
  double counted_ = 0;  // CPU time that the counter has
};

struct ControllerGauges {
  FleetCounts fleet;
  WorkQueue::Depth queue;
  std::chrono::milliseconds oldest_wait{};
  Authority authority;
  std::size_t problems = 0;
  std::size_t status_waiting = 0;
};
void set_gauges(base::Metrics& metrics, const ControllerGauges& gauges);

}  // namespace nimbus::controller
