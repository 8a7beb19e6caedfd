// Arming a boot override: the PATCHes, their ETags, and reading back.
#pragma once

#include <string>

#include "core/boot.hpp"
#include "core/power.hpp"
#include "core/result.hpp"
#include "drivers/redfish/boot_document.hpp"
#include "drivers/redfish/machine.hpp"

namespace nimbus::redfish {

class BootControl {
 public:
  /// `machine` must outlive this. `system`: link of the System.
  BootControl(Machine& machine, std::string system) : machine_(machine), system_(std::move(system)) {}

  Result<BootOverride> shown(const Call& call);
  Result<WriteOutcome> arm(BootOverride wanted, const Call& call);

 private:
  struct Resource {
    std::string link;
    std::string etag;
    BootProperties boot;
  };
  struct View {
    Resource system;
    Resource settings;  // without link: none
  };
  enum class Patched : std::uint8_t { Done, Refused, RefusedMode };

  Result<Resource> read_resource(const std::string& link, std::string* settings, const Call& call);
  Result<View> read(const Call& call);
  /// Refused: 400, and other properties may do better; `refusal_` says why.
  Result<Patched> patch(const Resource& resource, const base::Json& boot, const Call& call);

  Machine& machine_;
  std::string system_;
  Error refusal_;
  bool unknown_ = false;  // a PATCH went out and nobody knows what became of it
};

}  // namespace nimbus::redfish
