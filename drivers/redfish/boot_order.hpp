// The firmware's own boot order (DSP2046, ComputerSystem.Boot.BootOrder and BootOption):
// read, and written to the settings resource where that has it, else to the System.
#pragma once

#include <string>
#include <vector>

#include "base/json/json.hpp"
#include "core/boot.hpp"
#include "core/power.hpp"
#include "core/result.hpp"
#include "drivers/redfish/machine.hpp"

namespace nimbus::redfish {

/// The Boot object of a System or of its settings resource, as far as it is about the order.
struct BootOrderDocument {
  std::vector<std::string> order;
  bool has_order = false;
  std::string options;            // link of the list of BootOptions; empty: none
  bool applies_on_reset = false;  // OnReset is among the apply times that are listed
};
BootOrderDocument read_boot_order(const base::Json& resource);

/// `order` with `first` at its head. Errors: Invalid (not in it; twice).
Result<std::vector<std::string>> reordered(const std::vector<std::string>& order,
                                           const std::vector<std::string>& first);

/// Thread rule: as Machine, which must outlive this.
class BootOrderControl {
 public:
  explicit BootOrderControl(Machine& machine) : machine_(machine) {}
  Result<BootOrder> shown(const Call& call);
  Result<WriteOutcome> put_first(const std::vector<std::string>& first, const Call& call);

 private:
  struct Resource {
    std::string link, etag;
    BootOrderDocument boot;
  };
  struct View {
    Resource system;
    Resource settings;  // without link: none, or none with an order
    /// The one that is written.
    const Resource& target() const noexcept { return settings.link.empty() ? system : settings; }
  };
  Result<Resource> read_resource(const std::string& link, std::string* settings, const Call& call);
  Result<View> read(const Call& call);
  Result<std::vector<BootEntry>> named(const std::vector<std::string>& order, const std::string& options,
                                       const Call& call);

  Machine& machine_;
};

}  // namespace nimbus::redfish
