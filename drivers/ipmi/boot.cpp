#include "drivers/ipmi/boot.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "base/text/text.hpp"
#include "drivers/ipmi/device.hpp"

namespace nimbus::ipmi {
namespace {

constexpr std::uint8_t kValid = 0x80;
constexpr std::uint8_t kAlways = 0x40;
constexpr std::uint8_t kUefi = 0x20;
constexpr std::uint8_t kDeviceMask = 0x3C;
constexpr std::uint8_t kDisk = 0x08;
constexpr std::uint8_t kUefiDisk0x24 = 0x24;
constexpr std::uint8_t kTimerParameter = 3;
constexpr std::uint8_t kFlagsParameter = 5;
// "Do not clear the valid bit when no chassis control comes within 60 s."
constexpr std::uint8_t kKeepWithoutControl = 0x08;
constexpr std::uint8_t kParameterNotSupported = 0x80;

struct DeviceNumber {
  std::uint8_t number;
  BootDevice device;
};
constexpr DeviceNumber kDevices[] = {
    {0x00, BootDevice::Default}, {0x04, BootDevice::Pxe},   {kDisk, BootDevice::Disk},
    {0x14, BootDevice::Cd},      {0x18, BootDevice::Setup}, {0x20, BootDevice::Cd},  // 0x20: remote CD
};

Request get_flags_request() {
  return {
      .net_fn = NetFn::Chassis, .command = 0x09, .data = {kFlagsParameter, 0, 0}, .name = "Get System Boot Options"};
}

Request set_request(std::uint8_t parameter, Bytes value) {
  Request request{.net_fn = NetFn::Chassis, .command = 0x08, .data = {parameter}, .name = "Set System Boot Options"};
  request.data.insert(request.data.end(), value.begin(), value.end());
  return request;
}

Result<> lengthen_timer(Client& client, const Call& call) {
  const std::array value{kKeepWithoutControl};
  const auto reply = client.tell(set_request(kTimerParameter, value), Repeat::WhileUnanswered, call);
  if (!reply) return reply.error();
  return {};  // a refusal is fine: then there are 60 s
}

Result<WriteOutcome> write_flags(Client& client, const BootFlags& flags, const Call& call) {
  const auto request = set_request(kFlagsParameter, flags);
  const auto reply = client.tell(request, Repeat::WhileUnanswered, call);
  if (!reply) {
    if (effect_unknown(reply.error())) return WriteOutcome::Unknown;
    return reply.error();
  }
  if (reply->completion == kParameterNotSupported) return Error{Code::Unsupported, "the BMC has no boot flags"};
  if (reply->completion != kOk) return completion_error(request, reply->completion);
  return WriteOutcome::Accepted;
}

}  // namespace

Result<BootFlags> encode_boot_flags(const BootOverride& wanted, const Quirks& quirks) {
  // Valid without a device is "no override"; without the valid bit some BMCs keep the old one.
  if (wanted.device == BootDevice::Default) return BootFlags{kValid, 0, 0, 0, 0};
  const auto* const entry = std::find_if(std::begin(kDevices), std::end(kDevices),
                                         [&](const auto& one) { return one.device == wanted.device; });
  if (entry == std::end(kDevices)) {
    return Error{Code::Unsupported, fmt::format("IPMI cannot boot a machine from '{}'", to_string(wanted.device))};
  }
  const bool uefi = wanted.mode.value_or(BootMode::Uefi) == BootMode::Uefi;
  unsigned first = kValid;
  if (wanted.times == BootTimes::Always) first |= kAlways;
  if (uefi) first |= kUefi;
  const bool other_disk = quirks.uefi_disk_is_0x24 && uefi && wanted.device == BootDevice::Disk;
  return BootFlags{static_cast<std::uint8_t>(first), other_disk ? kUefiDisk0x24 : entry->number, 0, 0, 0};
}

Result<BootOverride> decode_boot_flags(const BootFlags& flags, const Quirks& quirks) {
  const auto number = static_cast<std::uint8_t>(flags[1] & kDeviceMask);
  const bool valid = (flags[0] & kValid) != 0 || quirks.valid_bit_not_shown;
  if (!valid || number == 0) return BootOverride{};
  BootOverride out{.times = (flags[0] & kAlways) != 0 ? BootTimes::Always : BootTimes::Once,
                   .mode = (flags[0] & kUefi) != 0 ? BootMode::Uefi : BootMode::Bios,
                   .http_uri = {}};
  const bool other_disk = quirks.uefi_disk_is_0x24 && number == kUefiDisk0x24;
  const auto* const entry = std::find_if(std::begin(kDevices), std::end(kDevices),
                                         [&](const auto& one) { return one.number == (other_disk ? kDisk : number); });
  if (entry == std::end(kDevices)) {
    return Error{Code::Unsupported,
                 fmt::format("the BMC's boot flags name device 0x{:02x}, which Nimbus has no word for", number)};
  }
  out.device = entry->device;
  return out;
}

Result<BootFlags> parse_boot_flags(Bytes data) {
  // Parameter version, parameter (bit 7: locked), then the value.
  if (data.size() < 2 + 5 || (data[1] & 0x7FU) != kFlagsParameter) {
    return Error{Code::Corrupt, "Get System Boot Options: an answer that is too short or to another question"};
  }
  BootFlags flags{};
  std::copy_n(data.begin() + 2, flags.size(), flags.begin());
  return flags;
}

Result<BootOverride> read_boot_override(Client& client, const Call& call) {
  const auto data = client.ask_data(get_flags_request(), call);
  if (!data) return data.error();
  const auto flags = parse_boot_flags(*data);
  if (!flags) return flags.error();
  return decode_boot_flags(*flags, client.quirks());
}

Result<WriteOutcome> arm_boot_flags(Client& client, const BootOverride& wanted, const Call& call) {
  // Which number a disk has depends on the maker of the BMC.
  if (auto learnt = learn_from_device_id(client, call); !learnt) return std::move(learnt.error());
  const auto quirks = client.quirks();
  const auto flags = encode_boot_flags(wanted, quirks);
  if (!flags) return flags.error();
  // Each write only says what shall be, so a lost answer may be asked for again.
  if (!quirks.keep_boot_timer) {
    if (auto timer = lengthen_timer(client, call); !timer) return std::move(timer.error());
  }
  const auto written = write_flags(client, *flags, call);
  if (!written || *written != WriteOutcome::Accepted) return written;

  const auto read = client.ask_present(get_flags_request(), call);
  if (!read) return WriteOutcome::Unknown;
  if (read->completion != kOk) return completion_error(get_flags_request(), read->completion);
  const auto kept = parse_boot_flags(read->data);
  if (!kept) return kept.error();
  const auto shown = decode_boot_flags(*kept, quirks);
  if (!shown || shown->device != wanted.device) {
    return Error{Code::Unsupported, fmt::format("the BMC does not keep boot flags: wrote {}, reads {}",
                                                base::to_hex(*flags), base::to_hex(*kept))};
  }
  return WriteOutcome::Accepted;
}

}  // namespace nimbus::ipmi
