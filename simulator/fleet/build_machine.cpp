#include "simulator/fleet/build_machine.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/net/socket_address.hpp"
#include "base/text/text.hpp"

namespace nimbus::simulator {
namespace {

template <std::size_t N>
std::array<std::uint8_t, N> bytes_from(std::uint64_t seed, std::string_view text) {
  std::array<std::uint8_t, N> out{};
  Random random(stable_hash(seed, text));
  for (auto& byte : out) byte = static_cast<std::uint8_t>(random.next());
  return out;
}

template <std::size_t N>
std::optional<std::array<std::uint8_t, N>> parse_hex(std::string_view text, char separator) {
  std::string digits;
  std::copy_if(text.begin(), text.end(), std::back_inserter(digits), [separator](char c) { return c != separator; });
  const auto bytes = base::from_hex(digits);
  if (!bytes || bytes->size() != N) return std::nullopt;
  std::array<std::uint8_t, N> out{};
  std::copy(bytes->begin(), bytes->end(), out.begin());
  return out;
}

/// SMBIOS order, which BMCs report: the first three fields have their bytes swapped.
std::array<std::uint8_t, 16> smbios_order(std::array<std::uint8_t, 16> uuid) {
  std::reverse(uuid.begin(), uuid.begin() + 4);
  std::reverse(uuid.begin() + 4, uuid.begin() + 6);
  std::reverse(uuid.begin() + 6, uuid.begin() + 8);
  return uuid;
}

Result<Identity> identity_of(const MachineSpec& spec, std::uint64_t seed) {
  Identity out;
  out.name = spec.name;
  out.serial = spec.serial.empty() ? fmt::format("NB{:08X}", stable_hash(seed, spec.name + "/serial") & 0xffffffffULL)
                                   : spec.serial;
  out.sku = out.serial;
  if (spec.uuid.empty()) {
    out.uuid = bytes_from<16>(seed, spec.name + "/uuid");
    out.uuid[6] = static_cast<std::uint8_t>((out.uuid[6] & 0x0f) | 0x40);  // a random UUID (RFC 9562)
    out.uuid[8] = static_cast<std::uint8_t>((out.uuid[8] & 0x3f) | 0x80);
  } else if (const auto uuid = parse_hex<16>(spec.uuid, '-')) {
    out.uuid = *uuid;
  } else {
    return Error{Code::Invalid, fmt::format("machine {}: \"{}\" is no UUID", spec.name, spec.uuid)};
  }
  out.bmc_guid = smbios_order(out.uuid);
  auto mac = bytes_from<6>(seed, spec.name + "/mac");
  mac[0] = 0x52;  // locally administered
  mac[1] = 0x54;
  mac[5] = static_cast<std::uint8_t>(mac[5] & 0xf0);
  if (!spec.mac.empty()) {
    const auto given = parse_hex<6>(spec.mac, ':');
    if (!given) return Error{Code::Invalid, fmt::format("machine {}: \"{}\" is no MAC address", spec.name, spec.mac)};
    mac = *given;
  }
  for (std::size_t i = 0; i < spec.hardware->nics.size(); ++i) {
    auto one = mac;
    one[5] = static_cast<std::uint8_t>(one[5] + i);
    out.macs.push_back(one);
  }
  out.bmc_mac = bytes_from<6>(seed, spec.name + "/bmc-mac");
  out.bmc_mac[0] = 0x52;
  out.bmc_mac[1] = 0x55;
  return out;
}

std::vector<VirtualMedium> media_of(const Quirks& quirks) {
  const bool dvd = quirks.has(Quirk::DvdOnly);
  return {{"1", "Removable disk", {"USBStick"}},
          {"2", "Optical disc", dvd ? std::vector<std::string>{"DVD"} : std::vector<std::string>{"CD", "DVD"}}};
}

void set_address(LanSettings& lan, const std::string& endpoint) {
  const auto parsed = base::parse_host_port(endpoint, 0);
  if (!parsed) return;
  const auto address = base::SocketAddress::numeric(*parsed);
  if (!address || address->family() != AF_INET) return;
  lan.port = parsed->port;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(address->data()) + 4;  // behind family and port
  std::copy_n(bytes, 4, lan.address.begin());
}

}  // namespace

Result<std::unique_ptr<Machine>> build_machine(const MachineSpec& spec, std::uint64_t fleet_seed, const Clock& clock) {
  auto identity = identity_of(spec, fleet_seed);
  if (!identity) return std::move(identity.error());
  MachineSetup setup{.identity = std::move(*identity),
                     .hardware = spec.hardware,
                     .timing = spec.timing,
                     .quirks = spec.quirks,
                     .seed = stable_hash(fleet_seed, spec.name),
                     .power = spec.power};
  set_address(setup.lan, spec.ipmi.empty() ? spec.redfish : spec.ipmi);
  auto machine = std::make_unique<Machine>(std::move(setup), clock);
  machine->profile = find_profile(spec.profile);
  std::uint8_t id = 2;
  for (const auto& account : spec.accounts) {
    Account* slot = machine->accounts.slot(id++);
    if (slot == nullptr) break;
    slot->name = account.name;
    slot->password = account.password;
    slot->privilege = account.privilege;
    slot->enabled = true;
    slot->long_password = account.password.reveal().size() > 16;
  }
  machine->media = media_of(spec.quirks);
  machine->settings.set_current(spec.bios);
  machine->adopt_default_boot_mode();
  return machine;
}

}  // namespace nimbus::simulator
