#include <fmt/format.h>

#include "simulator/model/machine.hpp"

namespace nimbus::simulator {

std::string_view to_string(Power power) noexcept {
  switch (power) {
    case Power::Off:
      return "off";
    case Power::PoweringOn:
      return "powering-on";
    case Power::On:
      return "on";
    case Power::PoweringOff:
      return "powering-off";
  }
  return "off";
}

std::string_view to_string(PowerRequest request) noexcept {
  switch (request) {
    case PowerRequest::On:
      return "On";
    case PowerRequest::ForceOff:
      return "ForceOff";
    case PowerRequest::GracefulShutdown:
      return "GracefulShutdown";
    case PowerRequest::ForceRestart:
      return "ForceRestart";
    case PowerRequest::GracefulRestart:
      return "GracefulRestart";
    case PowerRequest::PowerCycle:
      return "PowerCycle";
    case PowerRequest::Nmi:
      return "Nmi";
    case PowerRequest::PushPowerButton:
      return "PushPowerButton";
  }
  return "On";
}

std::string uuid_text(const std::array<std::uint8_t, 16>& uuid) {
  std::string out;
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += fmt::format("{:02x}", uuid[i]);
  }
  return out;
}

std::string mac_text(const std::array<std::uint8_t, 6>& mac) {
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

}  // namespace nimbus::simulator
