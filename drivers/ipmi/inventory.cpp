#include "drivers/ipmi/inventory.hpp"

#include <fmt/core.h>

namespace nimbus::ipmi {
namespace {

// Entities, table 43-13.
constexpr std::uint8_t kProcessor = 0x03;
constexpr std::uint8_t kMemoryModule = 0x08;
constexpr std::uint8_t kPowerSupply = 0x0A;
constexpr std::uint8_t kMemoryDevice = 0x20;

constexpr std::uint8_t kThisChannel = 0x0E;

/// The first area that says something.
std::string first_of(const Fru& fru, std::string FruFields::*field) {
  for (const auto* area : {&fru.product, &fru.board, &fru.chassis}) {
    if (area->has_value() && !((**area).*field).empty()) return (**area).*field;
  }
  return "";
}

bool is_memory(const FruLocator& locator) noexcept {
  return locator.entity == kMemoryDevice || locator.entity == kMemoryModule;
}

PowerSupply power_supply_of(const FruLocator& locator, const Fru& fru) {
  PowerSupply out{.slot = locator.name,
                  .vendor = first_of(fru, &FruFields::manufacturer),
                  .model = first_of(fru, &FruFields::name),
                  .part_number = first_of(fru, &FruFields::part_number),
                  .serial = first_of(fru, &FruFields::serial),
                  .watts = {},
                  .outputs = {}};
  for (const auto& record : fru.records) {
    if (const auto* supply = std::get_if<PowerSupplyRecord>(&record)) out.watts = supply->capacity_watts;
    const auto* dc = std::get_if<DcRecord>(&record);
    if (dc == nullptr || dc->side != DcRecord::Side::Output) continue;
    out.outputs.push_back(fmt::format("{}: {:.2f} V, at most {:.1f} A{}", name_of(record), dc->nominal_mv / 1000.0,
                                      dc->most_ma / 1000.0, dc->is_standby ? ", standby" : ""));
  }
  return out;
}

template <class Part>
void add_to(std::optional<std::vector<Part>>& list, Part part) {
  if (!list) list.emplace();
  list->push_back(std::move(part));
}

void add_part(Inventory& out, const FruLocator& locator, const Fru& fru) {
  if (locator.entity == kPowerSupply) return add_to(out.power_supplies, power_supply_of(locator, fru));
  auto vendor = first_of(fru, &FruFields::manufacturer);
  if (locator.entity == kProcessor)
    return add_to(out.processors, {.socket = locator.name,
                                   .vendor = std::move(vendor),
                                   .model = first_of(fru, &FruFields::name),
                                   .cores = {},
                                   .threads = {}});
  add_to(out.modules, {.slot = locator.name,
                       .vendor = std::move(vendor),
                       .part_number = first_of(fru, &FruFields::part_number),
                       .serial = first_of(fru, &FruFields::serial),
                       .size = {}});
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
  for (const auto& record : fru.records) {
    if (const auto* line = std::get_if<ManagementRecord>(&record))
      out.management.push_back({.name = name_of(record), .text = line->text});
  }
  return out;
}

Result<Inventory> read_inventory(Client& client, SdrRepository& repository, const Call& call) {
  const auto machine = read_fru(client, kMachineFru, FruParts::AreasAndRecords, call);
  if (!machine) return machine.error();
  auto out = *machine ? describe_machine(**machine) : Inventory{};
  const auto guid = read_guid(client, call);
  if (!guid) return guid.error();
  if (*guid) out.uuid = describe_guid(**guid).uuid;
  const auto contents = repository.contents(client, call);
  if (!contents) return contents.error();
  for (const auto& locator : (*contents)->frus) {
    const bool known = is_memory(locator) || locator.entity == kProcessor || locator.entity == kPowerSupply;
    if (locator.device == kMachineFru || !known) continue;
    const auto parts = locator.entity == kPowerSupply ? FruParts::AreasAndRecords : FruParts::Areas;
    const auto fru = read_fru(client, locator.device, parts, call);
    if (!fru) return fru.error();
    if (*fru) add_part(out, locator, **fru);  // else: not there, or in a form of its own
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
