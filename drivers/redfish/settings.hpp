// Firmware settings: BIOS attributes through the settings object (DSP0266, 9.10) or,
// where there is none, the Bios resource itself; secure boot.
#pragma once

#include <optional>
#include <string>

#include "base/json/json.hpp"
#include "core/ports/bmc_manage.hpp"
#include "drivers/redfish/machine.hpp"

namespace nimbus::redfish {

/// A Bios resource or its settings object.
struct BiosResource {
  std::string link, etag;
  std::string settings;           // link of the settings object; empty: none
  bool applies_on_reset = false;  // OnReset is among its SupportedApplyTimes
  base::Json attributes;
};
BiosResource read_bios(const base::Json& json);

/// As the registry writes values. Null and nested values are "".
std::string attribute_text(const base::Json& value);
/// `text` in the type that `like` has now. Invalid: it is no such value.
Result<base::Json> attribute_value(const std::string& name, const std::string& text, const base::Json& like);

/// Thread rule: as Machine, which must outlive this.
class SettingsControl final : public BmcSettings {
 public:
  explicit SettingsControl(Machine& machine) : machine_(machine) {}
  Result<BiosState> bios(const Call& call) override;
  Result<WriteOutcome> stage_bios(const BiosAttributes& wanted, const Call& call) override;
  Result<SecureBootState> secure_boot(const Call& call) override;
  Result<WriteOutcome> set_secure_boot(bool enabled, const Call& call) override;

 private:
  struct View {
    BiosResource current;
    std::optional<BiosResource> pending;
    BiosState state() const;
    /// What an attribute will be after the next start; null: there is none of that name.
    const base::Json* next(const std::string& name) const;
  };
  struct SecureBoot {
    std::string link, etag;
    SecureBootState state;
  };
  enum class ApplyTime : std::uint8_t { Sent, NotSent };

  Result<BiosResource> read_resource(const std::string& link, const Call& call);
  Result<View> read_view(const Call& call);
  Result<SecureBoot> read_secure_boot(const Call& call);
  Result<std::optional<base::ClientResponse>> send(const View& view, const base::Json& attributes, ApplyTime apply_time,
                                                   const Call& call);

  Machine& machine_;
};

}  // namespace nimbus::redfish
