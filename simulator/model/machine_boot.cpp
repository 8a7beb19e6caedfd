// Machine, the part about what it boots from: override, boot order, and what a boot makes of them.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "simulator/model/machine.hpp"

namespace nimbus::simulator {
namespace {

std::string text_of(const BootOrder& order) {
  std::string out;
  for (const auto device : order) out.append(out.empty() ? "" : " ").append(to_string(device));
  return out;
}

}  // namespace

BootMode Machine::default_boot_mode() const {
  const Attribute* attribute = hardware_->attribute("BootMode");
  const bool bios = attribute != nullptr && settings.current(*attribute) == AttributeValue(std::string("Bios"));
  return bios ? BootMode::Legacy : BootMode::Uefi;
}

/// Disks and networks are believed to answer; a drive without a medium is passed over.
bool Machine::can_boot_from(BootDevice device) const {
  if (device != BootDevice::Cd && device != BootDevice::Usb) return true;
  return std::any_of(media.begin(), media.end(), [&](const VirtualMedium& medium) {
    const bool usb = !medium.types.empty() && medium.types.front() == "USBStick";
    return !medium.image.empty() && usb == (device == BootDevice::Usb);
  });
}

BootDevice Machine::default_boot_device() const {
  const auto found =
      std::find_if(boot_order_.begin(), boot_order_.end(), [&](BootDevice device) { return can_boot_from(device); });
  return found == boot_order_.end() ? BootDevice::None : *found;
}

void Machine::resolve_boot() {
  if (!staged_boot_order_.empty()) {
    boot_order_ = std::exchange(staged_boot_order_, {});
    record(Source::Machine, "boot-order-applied", text_of(boot_order_));
  }
  last_boot_.count += 1;
  last_boot_.override_kind = override_.enabled;
  last_boot_.order = boot_order_;
  const bool overridden = override_.enabled != BootEnabled::Disabled && override_.device != BootDevice::None;
  last_boot_.device = overridden ? override_.device : default_boot_device();
  last_boot_.mode = overridden ? override_.mode : default_boot_mode();
  if (override_.enabled == BootEnabled::Once) override_.enabled = BootEnabled::Disabled;
  flags_expire_.reset();
  record(Source::Machine, "booted", fmt::format("{} {}", to_string(last_boot_.device), to_string(last_boot_.mode)),
         std::string(to_string(last_boot_.override_kind)));
}

void Machine::set_boot_override(BootOverride wanted, Source source) {
  set_boot_override(std::move(wanted), source, Expiry::Never);
}

void Machine::set_boot_override(BootOverride wanted, Source source, Expiry expiry) {
  override_ = std::move(wanted);
  flags_expire_.reset();
  if (expiry == Expiry::After60Seconds && override_.enabled != BootEnabled::Disabled) {
    flags_expire_ = now_ + kBootFlagLife;
  }
  record(source, "boot-override",
         fmt::format("{} {} {}", to_string(override_.device), to_string(override_.mode), to_string(override_.enabled)));
}

void Machine::set_boot_order(BootOrder wanted, Source source) {
  boot_order_ = std::move(wanted);
  staged_boot_order_.clear();
  record(source, "boot-order", text_of(boot_order_));
}

void Machine::stage_boot_order(BootOrder wanted, Source source) {
  staged_boot_order_ = std::move(wanted);
  record(source, "boot-order", text_of(staged_boot_order_), "staged");
}

}  // namespace nimbus::simulator
