#include "cli/hardware/machine_file.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text/text.hpp"
#include "base/toml/write.hpp"
#include "core/names.hpp"

namespace nimbus::cli {
namespace {

using base::toml::quoted;

constexpr std::uint64_t kGib = 1024ULL * 1024 * 1024;

std::string_view type_of(DriveKind kind) {
  switch (kind) {
    case DriveKind::Hdd:
      return "hdd";
    case DriveKind::Ssd:
      return "ssd";
    case DriveKind::Nvme:
      return "nvme";
    case DriveKind::Unknown:
      return "";
  }
  return "";
}

std::string line(std::string_view key, const std::string& value) {
  return value.empty() ? "" : fmt::format("{} = {}\n", key, quoted(value));
}

std::string bmc_text(const ProposedMachine& machine) {
  std::string out = "\n[bmc]\n" + line("driver", machine.driver);
  if (machine.address.empty()) {
    out += "# address = \"https://…\"\n# credentials = [\"bmc/…\"]\n";
    return out;
  }
  out += line("address", machine.address);
  if (!machine.pin.empty()) out += fmt::format("tls = {{ pin = [{}] }}\n", quoted(machine.pin));
  std::string names;
  for (const auto& name : machine.credentials) names += (names.empty() ? "" : ", ") + quoted(name);
  if (!names.empty()) out += "credentials = [" + names + "]\n";
  return out;
}

std::string identity_text(const ProposedMachine& machine) {
  const auto real = [](const std::string& text) { return is_placeholder_identity(text) ? std::string() : text; };
  std::string out = "\n[identity]\n";
  out += line("serial", real(machine.identity.serial));
  out += line("uuid", real(machine.identity.uuid));
  out += line("bmc_guid", real(machine.identity.bmc_guid));
  out += line("mac", boot_mac(machine.inventory));
  return out;
}

std::string drives_text(const std::vector<Drive>& drives) {
  std::string out;
  for (const auto& drive : drives) {
    if (!drive.size || *drive.size < kGib) continue;
    out += fmt::format("\n[[hardware.disk]]\nsize_gib = {}\n", *drive.size / kGib);
    out += line("type", std::string(type_of(drive.kind)));
    if (!is_placeholder_identity(drive.serial)) out += line("serial", drive.serial);
  }
  return out;
}

std::string ports_text(const std::vector<NetworkPort>& ports, const std::map<std::string, SwitchPort>& switches) {
  std::string out;
  for (const auto& port : ports) {
    if (port.mac.empty()) continue;
    out += "\n[[hardware.nic]]\n" + line("mac", port.mac);
    constexpr std::uint64_t kMbps = 1000;
    if (port.speed_mbps && *port.speed_mbps >= kMbps) out += fmt::format("speed_gbps = {}\n", *port.speed_mbps / kMbps);
    if (const auto plugged = switches.find(port.mac); plugged != switches.end())
      out += line("switch", plugged->second.name) + line("port", plugged->second.port);
  }
  return out;
}

std::string hardware_text(const ProposedMachine& machine) {
  const Inventory& parts = machine.inventory;
  std::string keys = line("arch", machine.arch);
  std::uint64_t cores = 0;
  for (const auto& processor : parts.processors.value_or(std::vector<Processor>()))
    cores += processor.cores.value_or(0);
  if (cores > 0) keys += fmt::format("cpu_cores = {}\n", cores);
  std::uint64_t memory = parts.memory.value_or(0);
  if (memory == 0) {
    for (const auto& module : parts.modules.value_or(std::vector<MemoryModule>())) memory += module.size.value_or(0);
  }
  if (memory >= kGib) keys += fmt::format("memory_gib = {}\n", memory / kGib);
  std::string out = keys.empty() ? "" : "\n[hardware]\n" + keys;
  out += drives_text(parts.drives.value_or(std::vector<Drive>()));
  out += ports_text(parts.ports.value_or(std::vector<NetworkPort>()), machine.switches);
  return out;
}

}  // namespace

std::string boot_mac(const Inventory& inventory) {
  if (!inventory.ports) return "";
  const auto& ports = *inventory.ports;
  const auto linked = std::find_if(ports.begin(), ports.end(),
                                   [](const NetworkPort& port) { return port.link_up == true && !port.mac.empty(); });
  if (linked != ports.end()) return linked->mac;
  const auto any = std::find_if(ports.begin(), ports.end(), [](const NetworkPort& port) { return !port.mac.empty(); });
  return any == ports.end() ? "" : any->mac;
}

std::string machine_name_from(const std::string& serial) {
  std::string name;
  for (const char c : base::to_lower(serial)) {
    const bool good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (good) name += c;
    if (!good && !name.empty() && !name.ends_with('-')) name += '-';
  }
  constexpr std::size_t kLongest = 63;
  name.resize(std::min(name.size(), kLongest));
  while (name.ends_with('-')) name.pop_back();
  return is_dns_label(name) ? name : "";
}

std::string machine_file_text(const ProposedMachine& machine) {
  std::string out = "# " + base::printable(machine.heading, 200) + "\n";
  out += line("class", machine.class_name);
  if (!machine.rack.empty()) {
    out += "\n[location]\n" + line("rack", machine.rack);
    if (!machine.unit.empty()) out += "unit = " + machine.unit + "\n";
  }
  out += bmc_text(machine) + identity_text(machine);
  if (machine.class_name.empty()) out += hardware_text(machine);
  return out;
}

}  // namespace nimbus::cli
