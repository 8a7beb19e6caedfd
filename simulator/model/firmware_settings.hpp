// FirmwareSettings: BIOS attributes with a set that waits for the next boot, and
// secure boot, which changes at the next boot as well. Thread rule: one thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "simulator/model/hardware.hpp"

namespace nimbus::simulator {

using AttributeMap = std::map<std::string, AttributeValue, std::less<>>;

class FirmwareSettings {
 public:
  explicit FirmwareSettings(const Hardware& hardware) : hardware_(&hardware) {}

  AttributeValue current(const Attribute& attribute) const;
  const AttributeMap& pending() const noexcept { return pending_; }

  /// Checks all against the registry, then stages all or none. Errors: NotFound (no such
  /// attribute), Invalid (type, value, range), Unsupported (read-only); the message names
  /// the attribute.
  Result<> stage(const AttributeMap& wanted);
  void stage_defaults();
  void discard_pending() { pending_.clear(); }
  /// At boot: what was staged becomes current. Returns how many attributes changed.
  std::size_t apply_pending();

  bool secure_boot() const noexcept { return secure_boot_; }
  bool secure_boot_wanted() const noexcept { return secure_boot_wanted_; }
  void want_secure_boot(bool on) noexcept { secure_boot_wanted_ = on; }
  void set_secure_boot(bool on) noexcept { secure_boot_ = secure_boot_wanted_ = on; }
  /// Sets values at once, as a machine's description does.
  void set_current(const AttributeMap& values);

 private:
  const Hardware* hardware_;
  AttributeMap changed_;  // current values that differ from the registry's defaults
  AttributeMap pending_;
  bool secure_boot_ = false;
  bool secure_boot_wanted_ = false;
};

}  // namespace nimbus::simulator
