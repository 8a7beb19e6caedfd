#include "drivers/ipmi/events.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace nimbus::ipmi {
namespace {

struct StateRow {
  std::uint8_t type;
  std::uint8_t offset;
  Health health;
  std::string_view words;
};

// Table 42-2: event/reading types of any sensor.
constexpr StateRow kGenericStates[] = {
    {0x02, 0, Health::Ok, "idle"},
    {0x02, 1, Health::Ok, "active"},
    {0x02, 2, Health::Ok, "busy"},
    {0x03, 0, Health::Ok, "state deasserted"},
    {0x03, 1, Health::Ok, "state asserted"},
    {0x04, 0, Health::Ok, "predictive failure deasserted"},
    {0x04, 1, Health::Warning, "predictive failure"},
    {0x05, 0, Health::Ok, "limit not exceeded"},
    {0x05, 1, Health::Warning, "limit exceeded"},
    {0x06, 0, Health::Ok, "performance met"},
    {0x06, 1, Health::Warning, "performance lags"},
    {0x07, 0, Health::Ok, "ok"},
    {0x07, 1, Health::Warning, "transition from ok to non-critical"},
    {0x07, 2, Health::Critical, "transition to critical"},
    {0x07, 3, Health::Critical, "transition to non-recoverable"},
    {0x07, 4, Health::Warning, "transition to non-critical"},
    {0x07, 5, Health::Critical, "transition from non-recoverable to critical"},
    {0x07, 6, Health::Critical, "transition to non-recoverable"},
    {0x07, 7, Health::Ok, "monitor"},
    {0x07, 8, Health::Ok, "informational"},
    {0x08, 0, Health::Ok, "absent"},
    {0x08, 1, Health::Ok, "present"},
    {0x09, 0, Health::Ok, "disabled"},
    {0x09, 1, Health::Ok, "enabled"},
    {0x0A, 0, Health::Ok, "running"},
    {0x0A, 1, Health::Ok, "in test"},
    {0x0A, 2, Health::Ok, "power off"},
    {0x0A, 3, Health::Ok, "on line"},
    {0x0A, 4, Health::Ok, "off line"},
    {0x0A, 5, Health::Ok, "off duty"},
    {0x0A, 6, Health::Warning, "degraded"},
    {0x0A, 7, Health::Ok, "power save"},
    {0x0A, 8, Health::Critical, "install error"},
    {0x0B, 0, Health::Ok, "fully redundant"},
    {0x0B, 1, Health::Critical, "redundancy lost"},
    {0x0B, 2, Health::Warning, "redundancy degraded"},
    {0x0B, 3, Health::Warning, "not redundant: sufficient resources, from redundant"},
    {0x0B, 4, Health::Warning, "not redundant: sufficient resources"},
    {0x0B, 5, Health::Critical, "not redundant: insufficient resources"},
    {0x0B, 6, Health::Warning, "redundancy degraded from full"},
    {0x0B, 7, Health::Warning, "redundancy degraded from none"},
    {0x0C, 0, Health::Ok, "D0 power state"},
    {0x0C, 1, Health::Ok, "D1 power state"},
    {0x0C, 2, Health::Ok, "D2 power state"},
    {0x0C, 3, Health::Ok, "D3 power state"},
};

// Table 42-3: states of each sensor type.
constexpr StateRow kSpecificStates[] = {
    {0x05, 0, Health::Warning, "chassis intrusion"},
    {0x05, 1, Health::Warning, "drive bay intrusion"},
    {0x05, 2, Health::Warning, "I/O card area intrusion"},
    {0x05, 3, Health::Warning, "processor area intrusion"},
    {0x05, 4, Health::Warning, "LAN leash lost"},
    {0x05, 5, Health::Warning, "unauthorized dock"},
    {0x05, 6, Health::Warning, "fan area intrusion"},
    {0x06, 0, Health::Warning, "secure mode violation"},
    {0x06, 1, Health::Warning, "user password violation"},
    {0x06, 2, Health::Warning, "setup password violation"},
    {0x06, 3, Health::Warning, "network boot password violation"},
    {0x06, 4, Health::Warning, "other password violation"},
    {0x06, 5, Health::Warning, "out-of-band password violation"},
    {0x07, 0, Health::Critical, "internal error"},
    {0x07, 1, Health::Critical, "thermal trip"},
    {0x07, 2, Health::Critical, "self test failure"},
    {0x07, 3, Health::Critical, "hang in POST"},
    {0x07, 4, Health::Critical, "startup failure"},
    {0x07, 5, Health::Critical, "configuration error"},
    {0x07, 6, Health::Critical, "uncorrectable CPU error"},
    {0x07, 7, Health::Ok, "present"},
    {0x07, 8, Health::Ok, "disabled"},
    {0x07, 9, Health::Ok, "terminator present"},
    {0x07, 10, Health::Warning, "throttled"},
    {0x07, 11, Health::Critical, "uncorrectable machine check"},
    {0x07, 12, Health::Warning, "correctable machine check"},
    {0x08, 0, Health::Ok, "present"},
    {0x08, 1, Health::Critical, "failure"},
    {0x08, 2, Health::Warning, "predictive failure"},
    {0x08, 3, Health::Critical, "input lost"},
    {0x08, 4, Health::Critical, "input lost or out of range"},
    {0x08, 5, Health::Critical, "input out of range"},
    {0x08, 6, Health::Critical, "configuration error"},
    {0x08, 7, Health::Ok, "inactive"},
    {0x09, 0, Health::Ok, "off"},
    {0x09, 1, Health::Ok, "power cycle"},
    {0x09, 2, Health::Ok, "240 VA power down"},
    {0x09, 3, Health::Ok, "interlock power down"},
    {0x09, 4, Health::Critical, "AC lost"},
    {0x09, 5, Health::Critical, "soft power control failure"},
    {0x09, 6, Health::Critical, "failure"},
    {0x09, 7, Health::Warning, "predictive failure"},
    {0x0C, 0, Health::Warning, "correctable ECC error"},
    {0x0C, 1, Health::Critical, "uncorrectable ECC error"},
    {0x0C, 2, Health::Critical, "parity error"},
    {0x0C, 3, Health::Critical, "scrub failed"},
    {0x0C, 4, Health::Ok, "disabled"},
    {0x0C, 5, Health::Warning, "correctable ECC error limit reached"},
    {0x0C, 6, Health::Ok, "present"},
    {0x0C, 7, Health::Critical, "configuration error"},
    {0x0C, 8, Health::Ok, "spare"},
    {0x0C, 9, Health::Warning, "throttled"},
    {0x0C, 10, Health::Critical, "critical overtemperature"},
    {0x0D, 0, Health::Ok, "present"},
    {0x0D, 1, Health::Critical, "fault"},
    {0x0D, 2, Health::Warning, "predictive failure"},
    {0x0D, 3, Health::Ok, "hot spare"},
    {0x0D, 4, Health::Ok, "check in progress"},
    {0x0D, 5, Health::Critical, "in critical array"},
    {0x0D, 6, Health::Critical, "in failed array"},
    {0x0D, 7, Health::Ok, "rebuild in progress"},
    {0x0D, 8, Health::Warning, "rebuild aborted"},
    {0x0F, 0, Health::Critical, "POST error"},
    {0x0F, 1, Health::Critical, "POST hang"},
    {0x0F, 2, Health::Ok, "POST progress"},
    {0x10, 0, Health::Ok, "correctable error logging disabled"},
    {0x10, 1, Health::Ok, "event logging disabled"},
    {0x10, 2, Health::Ok, "log cleared"},
    {0x10, 3, Health::Ok, "all event logging disabled"},
    {0x10, 4, Health::Warning, "log full"},
    {0x10, 5, Health::Warning, "log almost full"},
    {0x10, 6, Health::Ok, "correctable machine check logging disabled"},
    {0x11, 0, Health::Warning, "BIOS reset"},
    {0x11, 1, Health::Warning, "OS reset"},
    {0x11, 2, Health::Warning, "OS shut down"},
    {0x11, 3, Health::Warning, "OS powered down"},
    {0x11, 4, Health::Warning, "OS powered off"},
    {0x11, 5, Health::Warning, "OS NMI"},
    {0x11, 6, Health::Warning, "pre-timeout interrupt"},
    {0x11, 7, Health::Warning, "expired"},
    {0x12, 0, Health::Ok, "system reconfigured"},
    {0x12, 1, Health::Ok, "OEM boot event"},
    {0x12, 2, Health::Critical, "undetermined hardware failure"},
    {0x12, 3, Health::Ok, "auxiliary log entry"},
    {0x12, 4, Health::Ok, "event filter action"},
    {0x12, 5, Health::Ok, "clock set"},
    {0x13, 0, Health::Critical, "front panel NMI"},
    {0x13, 1, Health::Critical, "bus timeout"},
    {0x13, 2, Health::Critical, "I/O channel check NMI"},
    {0x13, 3, Health::Critical, "software NMI"},
    {0x13, 4, Health::Critical, "PCI parity error"},
    {0x13, 5, Health::Critical, "PCI system error"},
    {0x13, 6, Health::Critical, "EISA failsafe timeout"},
    {0x13, 7, Health::Warning, "bus correctable error"},
    {0x13, 8, Health::Critical, "bus uncorrectable error"},
    {0x13, 9, Health::Critical, "fatal NMI"},
    {0x13, 10, Health::Critical, "bus fatal error"},
    {0x13, 11, Health::Warning, "bus degraded"},
    {0x14, 0, Health::Ok, "power button pressed"},
    {0x14, 1, Health::Ok, "sleep button pressed"},
    {0x14, 2, Health::Ok, "reset button pressed"},
    {0x14, 3, Health::Ok, "FRU latch open"},
    {0x14, 4, Health::Ok, "FRU service request"},
    {0x19, 0, Health::Critical, "soft power control failure"},
    {0x19, 1, Health::Critical, "thermal trip"},
    {0x1B, 0, Health::Ok, "connected"},
    {0x1B, 1, Health::Warning, "configuration error"},
    {0x1D, 0, Health::Ok, "started by power up"},
    {0x1D, 1, Health::Ok, "started by hard reset"},
    {0x1D, 2, Health::Ok, "started by warm reset"},
    {0x1D, 3, Health::Ok, "PXE boot requested"},
    {0x1D, 4, Health::Ok, "automatic boot to diagnostics"},
    {0x1D, 5, Health::Ok, "OS restarted by software"},
    {0x1D, 6, Health::Ok, "OS started by software"},
    {0x1D, 7, Health::Ok, "system restart"},
    {0x1E, 0, Health::Warning, "no bootable media"},
    {0x1E, 1, Health::Warning, "no disk in drive"},
    {0x1E, 2, Health::Warning, "no PXE server"},
    {0x1E, 3, Health::Warning, "invalid boot sector"},
    {0x1E, 4, Health::Warning, "timeout waiting for a boot choice"},
    {0x1F, 0, Health::Ok, "A: boot completed"},
    {0x1F, 1, Health::Ok, "C: boot completed"},
    {0x1F, 2, Health::Ok, "PXE boot completed"},
    {0x1F, 3, Health::Ok, "diagnostic boot completed"},
    {0x1F, 4, Health::Ok, "CD boot completed"},
    {0x1F, 5, Health::Ok, "ROM boot completed"},
    {0x1F, 6, Health::Ok, "boot completed"},
    {0x1F, 7, Health::Ok, "installation started"},
    {0x1F, 8, Health::Ok, "installation completed"},
    {0x1F, 9, Health::Warning, "installation aborted"},
    {0x1F, 10, Health::Warning, "installation failed"},
    {0x20, 0, Health::Critical, "stop during OS load"},
    {0x20, 1, Health::Critical, "run-time stop"},
    {0x20, 2, Health::Ok, "OS graceful stop"},
    {0x20, 3, Health::Ok, "OS graceful shutdown"},
    {0x20, 4, Health::Ok, "soft shutdown by platform events"},
    {0x20, 5, Health::Ok, "no answer to soft shutdown"},
    {0x21, 0, Health::Critical, "fault"},
    {0x21, 1, Health::Ok, "identify"},
    {0x21, 2, Health::Ok, "device installed"},
    {0x21, 3, Health::Ok, "ready for installation"},
    {0x21, 4, Health::Ok, "ready for removal"},
    {0x21, 5, Health::Ok, "power off"},
    {0x21, 6, Health::Ok, "removal requested"},
    {0x21, 7, Health::Ok, "interlock"},
    {0x21, 8, Health::Ok, "disabled"},
    {0x21, 9, Health::Ok, "spare"},
    {0x22, 0, Health::Ok, "working"},
    {0x22, 1, Health::Ok, "S1: sleeping"},
    {0x22, 2, Health::Ok, "S2: sleeping"},
    {0x22, 3, Health::Ok, "S3: sleeping"},
    {0x22, 4, Health::Ok, "S4: suspended to disk"},
    {0x22, 5, Health::Ok, "S5: soft off"},
    {0x22, 6, Health::Ok, "S4 or S5: soft off"},
    {0x22, 7, Health::Ok, "mechanical off"},
    {0x22, 8, Health::Ok, "sleeping in S1, S2 or S3"},
    {0x22, 9, Health::Ok, "sleeping"},
    {0x22, 10, Health::Ok, "S5 by override"},
    {0x22, 11, Health::Ok, "on"},
    {0x22, 12, Health::Ok, "off"},
    {0x23, 0, Health::Warning, "expired"},
    {0x23, 1, Health::Warning, "hard reset"},
    {0x23, 2, Health::Warning, "power down"},
    {0x23, 3, Health::Warning, "power cycle"},
    {0x23, 8, Health::Ok, "timer interrupt"},
    {0x24, 0, Health::Ok, "page generated"},
    {0x24, 1, Health::Ok, "alert generated"},
    {0x24, 2, Health::Ok, "alert filtered"},
    {0x24, 3, Health::Ok, "trap generated"},
    {0x25, 0, Health::Ok, "present"},
    {0x25, 1, Health::Ok, "absent"},
    {0x25, 2, Health::Ok, "disabled"},
    {0x27, 0, Health::Warning, "heartbeat lost"},
    {0x28, 0, Health::Warning, "sensor access degraded"},
    {0x28, 1, Health::Warning, "controller access degraded"},
    {0x28, 2, Health::Critical, "controller off line"},
    {0x28, 3, Health::Critical, "controller unavailable"},
    {0x28, 4, Health::Critical, "sensor failure"},
    {0x28, 5, Health::Critical, "FRU failure"},
    {0x29, 0, Health::Warning, "battery low"},
    {0x29, 1, Health::Critical, "battery failed"},
    {0x29, 2, Health::Ok, "present"},
    {0x2A, 0, Health::Ok, "session activated"},
    {0x2A, 1, Health::Ok, "session deactivated"},
    {0x2A, 2, Health::Warning, "invalid user name or password"},
    {0x2A, 3, Health::Warning, "invalid password limit reached"},
    {0x2B, 0, Health::Ok, "hardware change"},
    {0x2B, 1, Health::Ok, "firmware or software change"},
    {0x2B, 2, Health::Warning, "hardware incompatibility"},
    {0x2B, 3, Health::Warning, "firmware or software incompatibility"},
    {0x2B, 4, Health::Warning, "invalid hardware version"},
    {0x2B, 5, Health::Critical, "invalid firmware or software"},
    {0x2B, 6, Health::Ok, "firmware update completed"},
    {0x2B, 7, Health::Ok, "software update completed"},
    {0x2C, 0, Health::Ok, "not installed"},
    {0x2C, 1, Health::Ok, "inactive"},
    {0x2C, 2, Health::Ok, "activation requested"},
    {0x2C, 3, Health::Ok, "activating"},
    {0x2C, 4, Health::Ok, "active"},
    {0x2C, 5, Health::Ok, "deactivation requested"},
    {0x2C, 6, Health::Ok, "deactivating"},
    {0x2C, 7, Health::Warning, "communication lost"},
};

constexpr std::string_view kSensorTypes[] = {
    "",
    "Temperature",
    "Voltage",
    "Current",
    "Fan",
    "Physical security",
    "Platform security",
    "Processor",
    "Power supply",
    "Power unit",
    "Cooling device",
    "Other sensor",
    "Memory",
    "Drive slot",
    "Memory resize",
    "System firmware",
    "Event log",
    "Watchdog 1",
    "System event",
    "Critical interrupt",
    "Button",
    "Module or board",
    "Microcontroller",
    "Add-in card",
    "Chassis",
    "Chip set",
    "Other FRU",
    "Cable",
    "Terminator",
    "System boot",
    "Boot error",
    "OS boot",
    "OS stop",
    "Slot",
    "ACPI power state",
    "Watchdog",
    "Platform alert",
    "Entity presence",
    "Monitor",
    "LAN",
    "Management subsystem",
    "Battery",
    "Session audit",
    "Version change",
    "FRU state",
};

constexpr std::string_view kLimits[] = {
    "lower non-critical", "lower critical", "lower non-recoverable",
    "upper non-critical", "upper critical", "upper non-recoverable",
};

}  // namespace

StateText describe_state(std::uint8_t sensor_type, std::uint8_t event_type, std::uint8_t offset) {
  const bool specific = event_type == kSensorSpecificStates;
  const auto find = [&](const auto& table, std::uint8_t type) -> const StateRow* {
    for (const auto& row : table) {
      if (row.type == type && row.offset == offset) return &row;
    }
    return nullptr;
  };
  const auto* row = specific ? find(kSpecificStates, sensor_type) : find(kGenericStates, event_type);
  if (row == nullptr) return {.words = fmt::format("state {}", offset), .health = Health::Unknown};
  return {.words = std::string(row->words), .health = row->health};
}

StateText describe_states(std::uint8_t sensor_type, std::uint8_t event_type, std::uint16_t states) {
  StateText out{.words = {}, .health = Health::Ok};
  for (std::uint8_t offset = 0; offset < 15; ++offset) {
    if ((static_cast<unsigned>(states) >> offset & 1U) == 0) continue;
    const auto one = describe_state(sensor_type, event_type, offset);
    if (!out.words.empty()) out.words += ", ";
    out.words += one.words;
    out.health = std::max(out.health, one.health);
  }
  return out;
}

StateText describe_limit(std::uint8_t offset) {
  // Two offsets for each limit: going low, going high (table 42-2, type 01h).
  const std::size_t limit = offset / 2U;
  if (limit >= std::size(kLimits)) return {.words = fmt::format("state {}", offset), .health = Health::Unknown};
  const bool mild = limit % 3 == 0;
  return {.words = fmt::format("{} going {}", kLimits[limit], offset % 2 == 0 ? "low" : "high"),
          .health = mild ? Health::Warning : Health::Critical};
}

Health health_of_comparison(std::uint8_t beyond) noexcept {
  if ((beyond & 0x36U) != 0) return Health::Critical;  // critical and non-recoverable, both sides
  return (beyond & 0x09U) != 0 ? Health::Warning : Health::Ok;
}

std::string sensor_type_text(std::uint8_t sensor_type) {
  if (sensor_type == 0 || sensor_type >= std::size(kSensorTypes))
    return fmt::format("sensor type 0x{:02x}", sensor_type);
  return std::string(kSensorTypes[sensor_type]);
}

}  // namespace nimbus::ipmi
