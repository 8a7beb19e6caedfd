// What is built into a System, walked from its links: processors, memory, drives (in
// Storage, else in SimpleStorage), network ports, firmware.
#pragma once

#include "core/ports/bmc_observe.hpp"
#include "drivers/redfish/machine.hpp"

namespace nimbus::redfish {

/// Thread rule: as Machine, which must outlive this.
class InventoryReader final : public BmcInventory {
 public:
  explicit InventoryReader(Machine& machine) : machine_(machine) {}
  Result<Inventory> inventory(const Call& call) override;
  Result<std::vector<FirmwareVersion>> firmware(const Call& call) override;

 private:
  Machine& machine_;
};

}  // namespace nimbus::redfish
