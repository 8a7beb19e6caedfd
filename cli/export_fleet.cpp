#include "cli/export_fleet.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include <fmt/core.h>

#include "base/text/text.hpp"
#include "base/toml/edit.hpp"
#include "base/toml/write.hpp"

namespace nimbus::cli {
namespace {

namespace toml = base::toml;

constexpr unsigned kLoopback = 127;
constexpr std::size_t kMostNics = 16;
constexpr const char* kUser = "admin";
constexpr const char* kPassword = "password";

/// The n-th address behind "127.a.b.c", without the bytes 0 and 255 at the end.
Result<std::string> nth_address(const std::string& first, std::size_t n) {
  std::array<unsigned, 4> bytes{};
  const auto parts = base::split(first, '.');
  bool good = parts.size() == bytes.size();
  for (std::size_t i = 0; good && i < bytes.size(); ++i) {
    const auto [end, error] = std::from_chars(parts[i].data(), parts[i].data() + parts[i].size(), bytes[i]);
    good = error == std::errc{} && end == parts[i].data() + parts[i].size() && bytes[i] <= 255;
  }
  if (!good || bytes[0] != kLoopback || bytes[3] == 0 || bytes[3] == 255)
    return Error{Code::Invalid, "'" + base::printable(first) + "' is no address such as 127.1.0.1"};
  constexpr std::size_t kPerNetwork = 254;
  const std::size_t last = bytes[3] - 1 + n;
  const std::size_t network = bytes[1] * 256U + bytes[2] + last / kPerNetwork;
  if (network > 0xffff) return Error{Code::Invalid, "more machines than loopback addresses behind " + first};
  return fmt::format("{}.{}.{}.{}", kLoopback, network / 256, network % 256, last % kPerNetwork + 1);
}

toml::Table hardware_table(const HardwareDeclaration& declared) {
  toml::Table out;
  if (declared.arch) out.set("arch", std::string(name_of(*declared.arch)));
  if (declared.cpu_cores && *declared.cpu_cores > 0) {
    const bool two = *declared.cpu_cores % 2 == 0 && *declared.cpu_cores > 2;
    out.set("sockets", two ? 2 : 1);
    out.set("cores_per_socket", two ? *declared.cpu_cores / 2 : *declared.cpu_cores);
  }
  if (declared.memory_gib) out.set("memory_gib", *declared.memory_gib);
  if (!declared.nics.empty()) out.set("nics", static_cast<std::int64_t>(std::min(declared.nics.size() + 1, kMostNics)));
  toml::Array drives;
  for (const auto& disk : declared.disks) {
    toml::Table drive;
    drive.set("size_gib", disk.size_gib.value_or(480));
    drive.set("type", std::string(name_of(disk.type.value_or(DiskType::Ssd))));
    drives.emplace_back(std::move(drive));
  }
  if (!drives.empty()) out.set("drive", std::move(drives));
  return out;
}

/// Kinds of hardware, each once.
class HardwareKinds {
 public:
  /// Empty: nothing is declared, the simulator's own will do.
  std::string name_of(const HardwareDeclaration& declared, const std::string& wished) {
    toml::Table table = hardware_table(declared);
    if (table.empty()) return {};
    const std::string text = toml::write(table);
    if (const auto known = names_.find(text); known != names_.end()) return known->second;
    std::string name = wished;
    for (int n = 2; all_.find(name) != nullptr; ++n) name = fmt::format("{}-{}", wished, n);
    all_.set(name, std::move(table));
    names_.emplace(text, name);
    return name;
  }
  toml::Table take() { return std::move(all_); }

 private:
  toml::Table all_;
  std::map<std::string, std::string> names_;
};

Result<std::string> edited(const std::string& text, const Result<toml::Edit>& edit) {
  if (!edit) return edit.error();
  return toml::applied(text, *edit);
}

/// The machine's file with the simulated BMC's address, and the fleet's pin in place of any other trust.
Result<std::string> redirected(std::string text, const DesiredMachine& machine, const std::string& address,
                               const std::string& pin) {
  auto next = edited(text, toml::set_key(text, {"bmc", "address"}, address));
  if (!next || machine.bmc.driver != "redfish") return next;
  if (auto without = edited(*next, toml::remove_key(*next, {"bmc", "tls"}))) next = std::move(without);
  toml::Array pins;
  pins.emplace_back(pin);
  next = edited(*next, toml::set_key(*next, {"bmc", "tls", "pin"}, std::move(pins)));
  if (!next || machine.bmc.system.empty()) return next;
  return edited(*next, toml::set_key(*next, {"bmc", "system"}, "1"));
}

/// The UUID whose bytes in SMBIOS order, with the first three fields little-endian, read
/// as this GUID: that is how the simulator derives its BMC's GUID.
std::string uuid_behind(const std::string& guid) {
  constexpr std::array<std::size_t, 16> kFrom = {6, 4, 2, 0, 11, 9, 16, 14, 19, 21, 24, 26, 28, 30, 32, 34};
  constexpr std::size_t kUuidChars = 36;
  if (guid.size() != kUuidChars) return {};
  std::string out;
  for (std::size_t byte = 0; byte < kFrom.size(); ++byte) {
    if (byte == 4 || byte == 6 || byte == 8 || byte == 10) out += '-';
    out += guid.substr(kFrom.at(byte), 2);
  }
  return out;
}

toml::Table machine_table(const DesiredMachine& machine, const std::string& name, const std::string& address,
                          const FleetOptions& options) {
  toml::Table out;
  out.set("name", name);
  // Both protocols, whatever the registry uses: the other one shows what is true.
  out.set("redfish", fmt::format("{}:{}", address, options.redfish_port));
  out.set("ipmi", fmt::format("{}:{}", address, options.ipmi_port));
  if (!machine.identity.serial.empty()) out.set("serial", machine.identity.serial);
  const std::string uuid =
      machine.identity.uuid.empty() ? uuid_behind(machine.identity.bmc_guid) : machine.identity.uuid;
  if (!uuid.empty()) out.set("uuid", uuid);
  if (!machine.mac.empty()) out.set("mac", machine.mac);
  if (machine.boot.mode == BootMode::Bios) {
    toml::Table bios;
    bios.set("BootMode", "Bios");
    out.set("bios", std::move(bios));
  }
  return out;
}

std::string fleet_text(const FleetOptions& options, toml::Table hardware, toml::Array machines) {
  toml::Table fleet;
  fleet.set("format", 1);
  fleet.set("control", options.control);
  fleet.set("certificate", options.certificate_folder);
  if (!hardware.empty()) fleet.set("hardware", std::move(hardware));
  fleet.set("machine", std::move(machines));
  return "# The machines of a registry, as nimbus-sim serves them. Made by 'nimbusctl export'.\n" + toml::write(fleet);
}

}  // namespace

Result<FleetExport> export_fleet(const registry::Snapshot& snapshot, const FleetOptions& options,
                                 const TextOf& text_of) {
  std::map<std::string, int> uses;
  std::vector<const registry::MachineEntry*> chosen;
  for (const auto& entry : snapshot.machines) {
    if (!options.provider.empty() && entry->provider != options.provider) continue;
    if (entry->value.bmc.driver.empty()) continue;
    ++uses[entry->name];
    chosen.push_back(entry.get());
  }
  if (chosen.empty()) return Error{Code::NotFound, "no machine with a BMC"};

  FleetExport out;
  HardwareKinds kinds;
  toml::Array machines;
  for (const auto* entry : chosen) {
    const DesiredMachine& machine = entry->value;
    const auto address = nth_address(options.first, out.machines++);
    if (!address) return address.error();
    const std::string name = uses[entry->name] == 1 ? entry->name : entry->provider + "-" + entry->name;
    toml::Table table = machine_table(machine, name, *address, options);
    const std::string kind =
        kinds.name_of(machine.hardware, machine.class_name.empty() ? "declared" : machine.class_name);
    if (!kind.empty()) table.set("hardware", kind);
    machines.emplace_back(std::move(table));

    const auto text = text_of(entry->path);
    if (!text) return Error{Code::Invalid, base::printable(entry->path) + " cannot be read"};
    const bool redfish = machine.bmc.driver == "redfish";
    const std::string where = redfish ? fmt::format("https://{}:{}", *address, options.redfish_port)
                                      : fmt::format("{}:{}", *address, options.ipmi_port);
    auto changed = redirected(*text, machine, where, options.pin);
    if (!changed) return std::move(changed.error()).with("while editing " + entry->path);
    out.files.emplace(entry->path, std::move(*changed));
    for (const auto& credential : machine.bmc.credentials)
      out.secrets.emplace(credential, fmt::format("username = \"{}\"\npassword = \"{}\"\nallow = [\"127.0.0.0/8\"]\n",
                                                  kUser, kPassword));
  }
  out.fleet = fleet_text(options, kinds.take(), std::move(machines));
  return out;
}

}  // namespace nimbus::cli
