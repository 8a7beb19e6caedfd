// Inspection: what is built into a machine and how its firmware is set, read now and then
// (a walk over many resources) after a pass that left nothing else to do.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/desired/machine.hpp"
#include "core/inventory.hpp"
#include "core/ports/bmc.hpp"
#include "core/ports/bmc_manage.hpp"
#include "core/power.hpp"
#include "core/time.hpp"
#include "registry/status/hardware_record.hpp"

namespace nimbus::controller {

/// How often, and how many machines at the same time: an inspection holds its worker for
/// seconds, and power must not wait for it. Thread rule: safe from any thread.
class InspectionPace {
 public:
  InspectionPace(std::chrono::milliseconds every, std::size_t most) : every_(every), most_(most) {}
  std::chrono::milliseconds every() const noexcept { return every_; }

  /// A turn, given back when it goes out of scope; null: no turn now.
  class Turn {
   public:
    explicit Turn(std::atomic<std::size_t>& running) : running_(running) {}
    ~Turn() { running_.fetch_sub(1); }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    std::atomic<std::size_t>& running_;
  };
  std::unique_ptr<Turn> take();

 private:
  const std::chrono::milliseconds every_;
  const std::size_t most_;
  std::atomic<std::size_t> running_{0};
};

/// What was found. A part that is not offered, or could not be read, is nothing.
struct Inspection {
  std::optional<Inventory> inventory;
  std::vector<FirmwareVersion> firmware;
  std::optional<BiosState> bios;
  std::optional<SecureBootState> secure_boot;
  std::optional<std::chrono::seconds> clock_off;  // how far the BMC's clock is ahead of ours
};

/// What is known of one machine, and when to look again.
class InspectionMemory {
 public:
  /// Null: not inspected since the start.
  const Inspection* known() const noexcept { return known_ ? &*known_ : nullptr; }
  std::shared_ptr<const registry::HardwareRecord> record() const noexcept { return record_; }
  /// Whether what is known of the settings is of this file, and no start came since.
  bool settings_are_fresh(const std::string& digest) const { return known_ && digest_ == digest && !settings_next_; }

  /// Another BMC: nothing is known of it.
  void forget();
  /// The power as just read. A start applies what waited, and takes a while to show it.
  void saw(PowerState state, WallTime now, const InspectionPace& pace);
  /// The settings are to be read at the next occasion.
  void doubt_settings(WallTime from) { settings_next_ = from; }
  /// Reads if it is time and a turn is free. What cannot be read is no failure: it is
  /// tried again, sooner than usual.
  void read_if_due(Bmc& bmc, const DesiredMachine& desired, InspectionPace& pace, WallTime now, const Call& call);
  /// After a write: the settings as they are shown now.
  Result<> read_settings(Bmc& bmc, const Call& call);

 private:
  std::optional<Inspection> known_;
  std::shared_ptr<const registry::HardwareRecord> record_;
  std::string digest_;                     // of the file that it was read for
  std::optional<WallTime> next_;           // nothing: not inspected yet
  std::optional<WallTime> settings_next_;  // sooner than that
  std::optional<PowerState> power_;        // as last seen
};

bool manages_settings(const DesiredMachine& desired);

/// Reads what this BMC has. `settings`: whether anybody wants to know the firmware's
/// attributes. Errors: of a BMC that cannot be reached any more.
Result<Inspection> inspect(Bmc& bmc, bool settings, const Call& call);

/// Only the settings, into what is known already.
Result<> inspect_settings(Bmc& bmc, Inspection& known, const Call& call);

}  // namespace nimbus::controller
