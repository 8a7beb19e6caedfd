// What is to be told about one machine after a pass. Plain values.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "controller/fleet/accepted.hpp"
#include "controller/machine/pass.hpp"
#include "controller/machine/run.hpp"

namespace nimbus::controller {

struct MachineFacts {
  AcceptedMachine machine;
  MachineReport report;
  std::vector<Run> runs;  // newest first
  int failures = 0;       // passes in a row in which the BMC could not be read
  WallTime next_look{};   // about when, unless something happens before
};

/// Who wants to know. Thread rule: called from several threads at the same time.
class FactSink {
 public:
  virtual ~FactSink() = default;
  virtual void seen(const MachineFacts& facts) = 0;
};

}  // namespace nimbus::controller
