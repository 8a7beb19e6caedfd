#include "simulator/model/firmware_settings.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace nimbus::simulator {
namespace {

Result<> check(const Hardware& hardware, const std::string& name, const AttributeValue& value) {
  const Attribute* attribute = hardware.attribute(name);
  if (attribute == nullptr) return Error{Code::NotFound, name};
  if (attribute->read_only) return Error{Code::Unsupported, name};
  if (attribute->fallback.index() != value.index()) return Error{Code::Invalid, name};
  if (const auto* text = std::get_if<std::string>(&value); text != nullptr && !attribute->values.empty()) {
    const auto& values = attribute->values;
    if (std::find(values.begin(), values.end(), *text) == values.end()) return Error{Code::Invalid, name};
  }
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    if (*number < attribute->least || *number > attribute->most) return Error{Code::Invalid, name};
  }
  return {};
}

}  // namespace

AttributeValue FirmwareSettings::current(const Attribute& attribute) const {
  const auto found = changed_.find(attribute.name);
  return found == changed_.end() ? attribute.fallback : found->second;
}

Result<> FirmwareSettings::stage(const AttributeMap& wanted) {
  for (const auto& [name, value] : wanted) {
    if (auto ok = check(*hardware_, name, value); !ok) return ok;
  }
  for (const auto& [name, value] : wanted) pending_[name] = value;
  return {};
}

void FirmwareSettings::stage_defaults() {
  pending_.clear();
  for (const auto& [name, value] : changed_) {
    const Attribute* attribute = hardware_->attribute(name);
    if (attribute != nullptr && !attribute->read_only) pending_[name] = attribute->fallback;
  }
}

std::size_t FirmwareSettings::apply_pending() {
  std::size_t changes = 0;
  for (const auto& [name, value] : pending_) {
    const Attribute* attribute = hardware_->attribute(name);
    if (attribute == nullptr || current(*attribute) == value) continue;
    changed_[name] = value;
    ++changes;
  }
  pending_.clear();
  if (secure_boot_ != secure_boot_wanted_) ++changes;
  secure_boot_ = secure_boot_wanted_;
  return changes;
}

void FirmwareSettings::set_current(const AttributeMap& values) {
  for (const auto& [name, value] : values) changed_[name] = value;
}

}  // namespace nimbus::simulator
