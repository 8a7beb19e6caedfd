#include "drivers/ipmi/inventory.hpp"

#include <fmt/core.h>

namespace nimbus::ipmi {
namespace {

// Entities, table 43-13.
constexpr std::uint8_t kProcessor = 0x03;
constexpr std::uint8_t kMemoryModule = 0x08;
constexpr std::uint8_t kMemoryDevice = 0x20;

constexpr std::uint8_t kThisChannel = 0x0E;

/// The first area that says something.
std::string first_of(const Fru& fru, std::string FruFields::*field) {
  for (const auto* area : {&fru.product, &fru.board, &fru.chassis}) {
    if (area->has_value() && !((**area).*field).empty()) return (**area).*field;
  }
  return "";
}

struct LanParameter {
  std::uint8_t number;
  std::size_t size;
};
constexpr LanParameter kIpAddress{3, 4};
constexpr LanParameter kAddressSource{4, 1};
constexpr LanParameter kMacAddress{5, 6};
constexpr LanParameter kSubnetMask{6, 4};
constexpr LanParameter kGateway{12, 4};
constexpr LanParameter kVlan{20, 2};

/// The value, or nothing where the BMC refuses or cuts it short.
Result<std::vector<std::uint8_t>> read_parameter(Client& client, const LanParameter& parameter, const Call& call) {
  const Request request{.net_fn = NetFn::Transport,
                        .command = 0x02,
                        .data = {kThisChannel, parameter.number, 0, 0},
                        .name = "Get LAN Configuration Parameters"};
  auto reply = client.ask(request, call);
  if (!reply) return std::move(reply.error());
  if (reply->completion != kOk || reply->data.size() < 1 + parameter.size) return std::vector<std::uint8_t>();
  const auto from = reply->data.begin() + 1;
  return std::vector<std::uint8_t>(from, from + static_cast<std::ptrdiff_t>(parameter.size));
}

std::string ip_text(Bytes bytes) {
  if (bytes.size() != 4) return "";
  if (bytes[0] == 0) return "";  // 0.0.0.0: none
  return fmt::format("{}.{}.{}.{}", bytes[0], bytes[1], bytes[2], bytes[3]);
}

AddressSource source_of(Bytes bytes) noexcept {
  switch (bytes.empty() ? 0 : bytes[0] & 0x0FU) {
    case 1:
      return AddressSource::Static;
    case 2:
      return AddressSource::Dhcp;
    case 3:
    case 4:
      return AddressSource::Other;  // set by the BIOS, or by another protocol
    default:
      return AddressSource::Unknown;
  }
}

}  // namespace

Inventory describe_machine(const Fru& fru) {
  Inventory out;
  out.vendor = first_of(fru, &FruFields::manufacturer);
  out.product = first_of(fru, &FruFields::name);
  out.serial = machine_serial(fru);
  if (fru.product) {
    out.part_number = fru.product->part_number;
    out.asset_tag = fru.product->asset_tag;
  }
  if (out.part_number.empty() && fru.chassis) out.part_number = fru.chassis->part_number;
  return out;
}

Result<Inventory> read_inventory(Client& client, SdrRepository& repository, const Call& call) {
  const auto machine = read_fru(client, kMachineFru, call);
  if (!machine) return machine.error();
  auto out = *machine ? describe_machine(**machine) : Inventory{};
  const auto guid = read_guid(client, call);
  if (!guid) return guid.error();
  if (*guid) out.uuid = describe_guid(**guid).uuid;
  const auto contents = repository.contents(client, call);
  if (!contents) return contents.error();
  for (const auto& locator : (*contents)->frus) {
    const bool memory = locator.entity == kMemoryDevice || locator.entity == kMemoryModule;
    if (locator.device == kMachineFru || (!memory && locator.entity != kProcessor)) continue;
    const auto fru = read_fru(client, locator.device, call);
    if (!fru) return fru.error();
    if (!*fru) continue;  // not there, or in a form of its own
    auto vendor = first_of(**fru, &FruFields::manufacturer);
    if (memory) {
      if (!out.modules) out.modules.emplace();
      out.modules->push_back({.slot = locator.name,
                              .vendor = std::move(vendor),
                              .part_number = first_of(**fru, &FruFields::part_number),
                              .serial = first_of(**fru, &FruFields::serial),
                              .size = {}});
    } else {
      if (!out.processors) out.processors.emplace();
      out.processors->push_back({.socket = locator.name,
                                 .vendor = std::move(vendor),
                                 .model = first_of(**fru, &FruFields::name),
                                 .cores = {},
                                 .threads = {}});
    }
  }
  return out;
}

Result<std::vector<FirmwareVersion>> read_firmware(Client& client, const Call& call) {
  const auto data = client.ask_data(device_id_request(), call);
  if (!data) return data.error();
  const auto id = parse_device_id(*data);
  if (!id) return id.error();
  client.learn_maker(id->manufacturer);
  return std::vector{FirmwareVersion{.component = "BMC", .version = fmt::format("{}.{:02x}", id->major, id->minor)}};
}

Result<BmcNetworkSettings> read_network(Client& client, const Call& call) {
  const auto read = [&](const LanParameter& parameter) { return read_parameter(client, parameter, call); };
  const auto address = read(kIpAddress);
  const auto source = address ? read(kAddressSource) : address;
  const auto mac = source ? read(kMacAddress) : source;
  const auto mask = mac ? read(kSubnetMask) : mac;
  const auto gateway = mask ? read(kGateway) : mask;
  const auto vlan = gateway ? read(kVlan) : gateway;
  if (!vlan) return vlan.error();
  return describe_network(
      {.address = *address, .source = *source, .mac = *mac, .mask = *mask, .gateway = *gateway, .vlan = *vlan});
}

BmcNetworkSettings describe_network(const LanValues& values) {
  BmcNetworkSettings out;
  out.address = ip_text(values.address);
  out.source = source_of(values.source);
  out.mask = ip_text(values.mask);
  out.gateway = ip_text(values.gateway);
  if (values.mac.size() == 6) {
    const auto m = values.mac;
    out.mac = fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", m[0], m[1], m[2], m[3], m[4], m[5]);
  }
  constexpr unsigned kEnabled = 0x80;
  if (values.vlan.size() == 2 && (values.vlan[1] & kEnabled) != 0) {
    out.vlan = static_cast<std::uint16_t>(values.vlan[0] | (values.vlan[1] & 0x0FU) << 8U);
  }
  return out;
}

}  // namespace nimbus::ipmi
