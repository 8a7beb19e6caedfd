// Inspection: what is built into a machine and how its firmware is set, read now and then
// (a walk over many resources) after a pass that left nothing else to do.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "core/inventory.hpp"
#include "core/ports/bmc.hpp"
#include "core/ports/bmc_manage.hpp"
#include "core/ports/clock.hpp"

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
};

/// Reads what this BMC has. `settings`: whether anybody wants to know the firmware's
/// attributes. Errors: of a BMC that cannot be reached any more.
Result<Inspection> inspect(Bmc& bmc, bool settings, const Call& call);

/// Only the settings, into what is known already.
Result<> inspect_settings(Bmc& bmc, Inspection& known, const Call& call);

}  // namespace nimbus::controller
