#include "core/power.hpp"

namespace nimbus {

std::string_view to_string(PowerState state) noexcept {
  switch (state) {
    case PowerState::Off:
      return "off";
    case PowerState::On:
      return "on";
    case PowerState::PoweringOn:
      return "powering-on";
    case PowerState::PoweringOff:
      return "powering-off";
  }
  return "";
}

std::string_view to_string(WantedPower wanted) noexcept {
  switch (wanted) {
    case WantedPower::Unmanaged:
      return "unmanaged";
    case WantedPower::On:
      return "on";
    case WantedPower::Off:
      return "off";
  }
  return "";
}

std::string_view to_string(Enforcement enforcement) noexcept {
  switch (enforcement) {
    case Enforcement::Observe:
      return "observe";
    case Enforcement::Enforce:
      return "enforce";
  }
  return "";
}

std::string_view to_string(PowerAction action) noexcept {
  switch (action) {
    case PowerAction::On:
      return "power-on";
    case PowerAction::SoftOff:
      return "soft-off";
    case PowerAction::HardOff:
      return "hard-off";
    case PowerAction::Reset:
      return "reset";
  }
  return "";
}

std::string_view to_string(WriteOutcome outcome) noexcept {
  switch (outcome) {
    case WriteOutcome::Accepted:
      return "accepted";
    case WriteOutcome::AlreadySo:
      return "already-so";
    case WriteOutcome::Unknown:
      return "unknown";
  }
  return "";
}

std::optional<WantedPower> parse_wanted_power(std::string_view text) noexcept {
  for (const auto wanted : {WantedPower::Unmanaged, WantedPower::On, WantedPower::Off}) {
    if (text == to_string(wanted)) return wanted;
  }
  return std::nullopt;
}

std::optional<Enforcement> parse_enforcement(std::string_view text) noexcept {
  for (const auto enforcement : {Enforcement::Observe, Enforcement::Enforce}) {
    if (text == to_string(enforcement)) return enforcement;
  }
  return std::nullopt;
}

}  // namespace nimbus
