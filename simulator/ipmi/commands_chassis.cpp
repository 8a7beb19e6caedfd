// Chassis commands (IPMI 2.0, section 28).
#include <algorithm>

#include "simulator/ipmi/commands.hpp"

namespace nimbus::simulator::ipmi {
namespace {

constexpr std::uint8_t kNetFn = 0x00;

// Boot option parameters (table 28-14).
constexpr std::uint8_t kSetInProgress = 0;
constexpr std::uint8_t kValidBitClearing = 3;
constexpr std::uint8_t kInfoAcknowledge = 4;
constexpr std::uint8_t kBootFlags = 5;
constexpr std::uint8_t kKeepOnTimeout = 0x08;

constexpr std::uint8_t kDeviceMask = 0x3c;
struct DeviceCode {
  std::uint8_t code;
  BootDevice device;
};
constexpr DeviceCode kDevices[] = {
    {0x00, BootDevice::None},        {0x04, BootDevice::Pxe}, {0x08, BootDevice::Disk},   {0x0c, BootDevice::SafeMode},
    {0x10, BootDevice::Diagnostics}, {0x14, BootDevice::Cd},  {0x18, BootDevice::Setup},  {0x1c, BootDevice::Usb},
    {0x20, BootDevice::RemoteCd},    {0x24, BootDevice::Usb}, {0x3c, BootDevice::Floppy},
};

std::optional<BootDevice> device_of(std::uint8_t code, const Quirks& quirks) {
  if (code == 0x24 && quirks.has(Quirk::DiskIsCode24)) return BootDevice::Disk;
  for (const auto& entry : kDevices) {
    if (entry.code == code) return entry.device;
  }
  return std::nullopt;
}

std::uint8_t code_of(BootDevice device) {
  for (const auto& entry : kDevices) {
    if (entry.device == device) return entry.code;
  }
  return 0;  // UEFI targets have no code
}

std::uint8_t capabilities(Exchange& x) {
  x.reply = {0x00, 0x20, 0x20, 0x20, 0x20};
  return kOk;
}

std::uint8_t status(Exchange& x) {
  const auto& machine = x.machine;
  x.reply = {static_cast<std::uint8_t>((machine.has_power() ? 0x01U : 0x00U) |
                                       static_cast<unsigned>(machine.restore_policy << 5U)),
             static_cast<std::uint8_t>(machine.restart_cause == 0x01 ? 0x10 : 0x00),
             static_cast<std::uint8_t>(machine.identify ? 0x50 : 0x40), 0x00};
  return kOk;
}

std::uint8_t control(Exchange& x) {
  using enum PowerRequest;
  constexpr PowerRequest kRequests[] = {ForceOff, On, PowerCycle, ForceRestart, Nmi, GracefulShutdown};
  const std::uint8_t wanted = x.request[0] & 0x0f;
  if (wanted >= std::size(kRequests)) return kInvalidField;
  const auto answer = x.machine.request_power(kRequests[wanted], Source::Ipmi);
  return answer == PowerAnswer::WrongState ? kWrongState : kOk;
}

std::uint8_t identify(Exchange& x) {
  const bool force = x.request.size() > 1 && (x.request[1] & 1) != 0;
  x.machine.identify = force || x.request.empty() || x.request[0] != 0;
  return kOk;
}

std::uint8_t restore_policy(Exchange& x) {
  const std::uint8_t wanted = x.request[0] & 0x07;
  if (wanted > 3) return kInvalidField;
  if (wanted != 3) x.machine.restore_policy = wanted;  // 3: only ask what is possible
  x.reply = {0x07};
  return kOk;
}

std::uint8_t restart_cause(Exchange& x) {
  x.reply = {x.machine.restart_cause, 0x01};
  return kOk;
}

std::uint8_t power_on_hours(Exchange& x) {
  x.reply = {60};  // minutes per count
  put32(x.reply, static_cast<std::uint32_t>(x.machine.last_boot().count));
  return kOk;
}

std::uint8_t set_boot_flags(Exchange& x, Bytes data) {
  if (data.size() < 5) return kLengthInvalid;
  const auto device = device_of(data[1] & kDeviceMask, x.machine.quirks);
  if (!device) return kInvalidField;
  BootOverride wanted;
  const bool valid = (data[0] & 0x80) != 0;
  const bool persistent = (data[0] & 0x40) != 0;
  wanted.enabled = !valid ? BootEnabled::Disabled : persistent ? BootEnabled::Continuous : BootEnabled::Once;
  wanted.mode = (data[0] & 0x20) != 0 ? BootMode::Uefi : BootMode::Legacy;
  wanted.device = *device;
  wanted.ipmi_rest = {static_cast<std::uint8_t>(data[1] & ~kDeviceMask), data[2], data[3], data[4]};
  const auto expiry =
      (x.machine.keep_boot_flags & kKeepOnTimeout) != 0 ? Machine::Expiry::Never : Machine::Expiry::After60Seconds;
  x.machine.set_boot_override(std::move(wanted), Source::Ipmi, expiry);
  return kOk;
}

Buffer boot_flags(const Machine& machine) {
  const auto& override = machine.boot_override();
  unsigned first = 0;
  if (override.enabled != BootEnabled::Disabled && !machine.quirks.has(Quirk::HidesFlagsValid)) first |= 0x80U;
  if (override.enabled == BootEnabled::Continuous) first |= 0x40U;
  if (override.mode == BootMode::Uefi) first |= 0x20U;
  const auto& rest = override.ipmi_rest;
  return {static_cast<std::uint8_t>(first), static_cast<std::uint8_t>(rest[0] | code_of(override.device)), rest[1],
          rest[2], rest[3]};
}

std::uint8_t set_boot_option(Exchange& x) {
  const Bytes data = x.request.subspan(1);
  switch (x.request[0] & 0x7f) {
    case kSetInProgress:
      return data.empty() || data[0] > 2 ? kInvalidField : kOk;
    case kValidBitClearing:
      if (x.machine.quirks.has(Quirk::NoFlagTimeoutControl)) return kNotSupportedParameter;
      if (data.empty()) return kLengthInvalid;
      x.machine.keep_boot_flags = data[0] & 0x1f;
      return kOk;
    case kInfoAcknowledge:
      return data.size() < 2 ? kLengthInvalid : kOk;
    case kBootFlags:
      return set_boot_flags(x, data);
    default:
      return kNotSupportedParameter;
  }
}

std::uint8_t get_boot_option(Exchange& x) {
  const std::uint8_t parameter = x.request[0] & 0x7f;
  x.reply = {0x01, parameter};
  switch (parameter) {
    case kSetInProgress:
      x.reply.push_back(0x00);
      return kOk;
    case kValidBitClearing:
      if (x.machine.quirks.has(Quirk::NoFlagTimeoutControl)) break;
      x.reply.push_back(x.machine.keep_boot_flags);
      return kOk;
    case kInfoAcknowledge:
      x.reply.insert(x.reply.end(), {0x00, 0x00});
      return kOk;
    case kBootFlags: {
      const Buffer flags = boot_flags(x.machine);
      x.reply.insert(x.reply.end(), flags.begin(), flags.end());
      return kOk;
    }
    default:
      break;
  }
  x.reply.clear();
  return kNotSupportedParameter;
}

using enum Effect;
constexpr Command kCommands[] = {
    {kNetFn, 0x00, "get-chassis-capabilities", Privilege::User, 0, Reads, capabilities},
    {kNetFn, 0x01, "get-chassis-status", Privilege::User, 0, Reads, status},
    {kNetFn, 0x02, "chassis-control", Privilege::Operator, 1, Writes, control},
    {kNetFn, 0x04, "chassis-identify", Privilege::Operator, 0, Writes, identify},
    {kNetFn, 0x06, "set-power-restore-policy", Privilege::Operator, 1, Writes, restore_policy},
    {kNetFn, 0x07, "get-system-restart-cause", Privilege::User, 0, Reads, restart_cause},
    {kNetFn, 0x08, "set-boot-options", Privilege::Operator, 1, Writes, set_boot_option},
    {kNetFn, 0x09, "get-boot-options", Privilege::Operator, 3, Reads, get_boot_option},
    {kNetFn, 0x0f, "get-power-on-hours", Privilege::User, 0, Reads, power_on_hours},
};

}  // namespace

std::span<const Command> chassis_commands() noexcept { return kCommands; }

}  // namespace nimbus::simulator::ipmi
