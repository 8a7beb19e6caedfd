#include "simulator/fleet/fleet_file.hpp"

#include <fmt/format.h>

#include <set>

#include "base/text/text.hpp"
#include "base/time/time.hpp"
#include "base/toml/reader.hpp"
#include "base/toml/toml.hpp"

namespace nimbus::simulator {
namespace {

namespace toml = base::toml;
using Reader = toml::TableReader;

constexpr std::int64_t kFormat = 1;
constexpr std::string_view kNumber = "{n}";

std::optional<DurationRange> parse_range(std::string_view text) {
  const auto dots = text.find("..");
  const auto zero_or = [](std::string_view part) -> std::optional<std::chrono::milliseconds> {
    if (part == "0s" || part == "0ms") return std::chrono::milliseconds{0};
    return base::parse_duration(part);
  };
  const auto least = zero_or(text.substr(0, dots));
  const auto most = dots == std::string_view::npos ? least : zero_or(text.substr(dots + 2));
  if (!least || !most || *most < *least) return std::nullopt;
  return DurationRange{*least, *most};
}

void read_timing(Reader& table, Timing& timing) {
  const std::pair<const char*, DurationRange*> keys[] = {{"power_on", &timing.power_on},
                                                         {"power_off", &timing.power_off},
                                                         {"soft_off", &timing.soft_off},
                                                         {"post", &timing.post},
                                                         {"bmc_reset", &timing.bmc_reset}};
  for (const auto& [key, range] : keys) {
    const auto text = table.string(key);
    if (!text) continue;
    if (const auto parsed = parse_range(*text)) {
      *range = *parsed;
    } else {
      table.fault(key, "must be a duration such as \"2s\", or a range such as \"1s..3s\"");
    }
  }
  table.finish();
}

void read_accounts(Reader& table, std::vector<AccountSpec>& accounts) {
  auto entries = table.tables("account");
  if (!entries.empty()) accounts.clear();
  for (auto& entry : entries) {
    AccountSpec account;
    account.name = entry.require("name").string("name").value_or("");
    account.password = Secret(entry.require("password").string("password").value_or(""));
    const auto role = entry.choice("role", {"user", "operator", "administrator"}).value_or("administrator");
    account.privilege = role == "user"       ? Privilege::User
                        : role == "operator" ? Privilege::Operator
                                             : Privilege::Administrator;
    if (account.name.empty() || account.name.size() > Accounts::kMaxName)
      entry.fault("name", "must have 1 to 16 bytes");
    if (account.password.reveal().size() > Accounts::kMaxPassword)
      entry.fault("password", "must have at most 20 bytes");
    entry.finish();
    accounts.push_back(std::move(account));
  }
  if (accounts.size() > Accounts::kSlots - 1U) table.fault("account", "at most 9 accounts fit");
}

void read_bios(Reader& table, MachineSpec& spec) {
  for (const auto& member : table.raw().members()) {
    const toml::Value* value = table.value(member.key);
    const Attribute* attribute = spec.hardware->attribute(member.key);
    if (attribute == nullptr) {
      table.fault(member.key, fmt::format("\"{}\" is no attribute of hardware \"{}\"", member.key, spec.hardware->id));
    } else if (const auto* text = value->string(); text != nullptr && attribute->fallback.index() == 0) {
      spec.bios[member.key] = *text;
    } else if (const auto* number = value->integer(); number != nullptr && attribute->fallback.index() == 1) {
      spec.bios[member.key] = *number;
    } else if (const auto* on = value->boolean(); on != nullptr && attribute->fallback.index() == 2) {
      spec.bios[member.key] = *on;
    } else {
      table.fault(member.key, "has the wrong type");
    }
  }
  table.finish();
}

std::shared_ptr<const Hardware> read_hardware(Reader& table, const std::string& id) {
  Hardware hardware = generic_server();
  hardware.id = id;
  if (const auto v = table.string("manufacturer")) hardware.manufacturer = *v;
  if (const auto v = table.string("model")) hardware.model = *v;
  if (const auto v = table.string("part_number")) hardware.part_number = *v;
  if (const auto v = table.string("bios_version")) hardware.bios_version = *v;
  if (const auto v = table.string("bmc_firmware")) hardware.bmc_firmware = *v;
  if (const auto v = table.choice("arch", {"x86_64", "aarch64"})) hardware.arch = *v;
  if (const auto sockets = table.integer("sockets", 1, 8)) {
    hardware.processors.resize(static_cast<std::size_t>(*sockets), hardware.processors.front());
    for (std::size_t i = 0; i < hardware.processors.size(); ++i)
      hardware.processors[i].socket = fmt::format("CPU{}", i + 1);
  }
  if (const auto cores = table.integer("cores_per_socket", 1, 512)) {
    for (auto& processor : hardware.processors) {
      processor.cores = static_cast<unsigned>(*cores);
      processor.threads = processor.cores * 2;
    }
  }
  if (const auto gib = table.integer("memory_gib", 1, 65'536)) {
    const auto modules = static_cast<std::size_t>(*gib % 8 == 0 ? 8 : 1);
    hardware.memory.resize(modules, hardware.memory.front());
    for (auto& module : hardware.memory)
      module.size_gib = static_cast<unsigned>(static_cast<std::size_t>(*gib) / modules);
  }
  auto drives = table.tables("drive");
  if (!drives.empty()) hardware.drives.clear();
  for (auto& entry : drives) {
    Drive drive{.id = fmt::format("Disk{}", hardware.drives.size()), .manufacturer = "Nimbus", .model = "SIM-DRIVE"};
    if (const auto v = entry.string("model")) drive.model = *v;
    const auto kind = entry.choice("type", {"nvme", "ssd", "hdd"}).value_or("ssd");
    drive.kind = kind == "nvme" ? MediaKind::Nvme : kind == "hdd" ? MediaKind::Hdd : MediaKind::Ssd;
    const auto gib = entry.require("size_gib").integer("size_gib", 1, 1'000'000).value_or(1);
    drive.size_bytes = static_cast<std::uint64_t>(gib) << 30U;
    entry.finish();
    hardware.drives.push_back(std::move(drive));
  }
  if (const auto nics = table.integer("nics", 1, 16)) {
    hardware.nics.resize(static_cast<std::size_t>(*nics), hardware.nics.front());
    for (std::size_t i = 0; i < hardware.nics.size(); ++i) hardware.nics[i].id = fmt::format("NIC{}", i + 1);
  }
  table.finish();
  return std::make_shared<const Hardware>(std::move(hardware));
}

using HardwareTable = std::map<std::string, std::shared_ptr<const Hardware>, std::less<>>;

/// Keys that stand in [defaults] and in [[machine]] alike.
void read_common(Reader& table, const HardwareTable& hardware, MachineSpec& spec) {
  if (const auto name = table.string("profile")) {
    if (const auto* profile = find_profile(*name)) {
      spec.profile = *name;
      spec.quirks = quirks_of(*profile);
    } else {
      table.fault("profile", fmt::format("no profile \"{}\"; `nimbus-sim quirks` lists them", *name));
    }
  }
  for (const auto& id : table.strings("quirks").value_or(std::vector<std::string>{})) {
    const bool off = id.starts_with("-");
    if (const auto quirk = find_quirk(std::string_view(id).substr(off ? 1 : 0))) {
      spec.quirks.set(*quirk, !off);
    } else {
      table.fault("quirks", fmt::format("no quirk \"{}\"; `nimbus-sim quirks` lists them", id));
    }
  }
  if (const auto id = table.string("hardware")) {
    const auto found = hardware.find(*id);
    if (found == hardware.end()) {
      table.fault("hardware", fmt::format("there is no [hardware.{}]", *id));
    } else {
      spec.hardware = found->second;
    }
  }
  if (const auto power = table.choice("power", {"on", "off"})) spec.power = *power == "on" ? Power::On : Power::Off;
  if (auto timing = table.table("timing")) read_timing(*timing, spec.timing);
  read_accounts(table, spec.accounts);
}

VirtualMachineSpec read_qemu(Reader& table) {
  VirtualMachineSpec out;
  out.folder = table.require("folder").string("folder").value_or("");
  out.disk = table.require("disk").string("disk").value_or("");
  out.data_disk = table.string("data_disk").value_or("");
  out.network_namespace = table.string("namespace").value_or("");
  out.tap = table.string("tap").value_or("");
  if (const auto type = table.choice("disk_type", {"virtio", "nvme", "sata"})) {
    out.disk_bus = *type == "nvme" ? DiskBus::Nvme : *type == "sata" ? DiskBus::Sata : DiskBus::Virtio;
  }
  out.disk_gib = static_cast<unsigned>(table.integer("disk_gib", 1, 16'384).value_or(out.disk_gib));
  out.memory_mib = static_cast<unsigned>(table.integer("memory_mib", 16, 1'048'576).value_or(out.memory_mib));
  out.cpus = static_cast<unsigned>(table.integer("cpus", 1, 64).value_or(out.cpus));
  out.program = table.string("program").value_or(out.program);
  out.uefi_code = table.string("uefi_code").value_or(out.uefi_code);
  out.uefi_variables = table.string("uefi_variables").value_or(out.uefi_variables);
  // A comma separates QEMU's options; a slash would leave the folder of namespaces.
  for (const auto& [key, value] : {std::pair<const char*, const std::string&>{"folder", out.folder},
                                   {"disk", out.disk},
                                   {"data_disk", out.data_disk},
                                   {"tap", out.tap},
                                   {"uefi_code", out.uefi_code},
                                   {"uefi_variables", out.uefi_variables}}) {
    if (value.find(',') != std::string::npos) table.fault(key, fmt::format("'{}' may not contain a comma", key));
  }
  if (out.disk_gib > 0 && out.disk.ends_with(".qcow2"))
    table.fault("disk_gib", "only a raw image can be made; make the qcow2 with qemu-img");
  if (out.network_namespace.find('/') != std::string::npos)
    table.fault("namespace", "'namespace' is a name, not a path");
  table.finish();
  return out;
}

void replace_number(std::string& text, std::size_t n) {
  if (const auto at = text.find(kNumber); at != std::string::npos) text.replace(at, kNumber.size(), std::to_string(n));
}

void read_machine(Reader& table, const HardwareTable& hardware, const MachineSpec& defaults, FleetFile& fleet) {
  MachineSpec spec = defaults;
  spec.name = table.require("name").string("name").value_or("");
  const auto count = static_cast<std::size_t>(table.integer("count", 1, kMostMachines).value_or(1));
  const auto first = static_cast<std::size_t>(table.integer("first", 0, kMostMachines).value_or(1));
  const auto step =
      table.choice("step", {"address", "port"}).value_or("address") == "port" ? Step::Port : Step::Address;
  spec.redfish = table.string("redfish").value_or("");
  spec.ipmi = table.string("ipmi").value_or("");
  spec.serial = table.string("serial").value_or("");
  spec.uuid = table.string("uuid").value_or("");
  spec.mac = table.string("mac").value_or("");
  if (auto qemu = table.table("qemu")) spec.qemu = read_qemu(*qemu);
  read_common(table, hardware, spec);
  if (auto bios = table.table("bios")) read_bios(*bios, spec);
  table.finish();
  if (count > 1 && spec.name.find(kNumber) == std::string::npos)
    table.fault("name", "must contain {n} where count is more than 1");
  if (count > 1 && (!spec.uuid.empty() || !spec.mac.empty() || spec.qemu))
    table.fault("count", "uuid, mac and qemu are for one machine");
  if (fleet.machines.size() + count > kMostMachines) {
    table.fault("count", fmt::format("more than {} machines", kMostMachines));
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    MachineSpec one = spec;
    replace_number(one.name, first + i);
    replace_number(one.serial, first + i);
    for (std::string* endpoint : {&one.redfish, &one.ipmi}) {
      if (endpoint->empty()) continue;
      auto text = nth_endpoint(*endpoint, i, step);
      if (!text) {
        table.fault(endpoint == &one.redfish ? "redfish" : "ipmi", text.error().message);
        return;
      }
      *endpoint = std::move(*text);
    }
    fleet.machines.push_back(std::move(one));
  }
}

}  // namespace

Result<FleetFile> parse_fleet(std::string_view text, std::string_view file_name) {
  const auto fault_text = [&](const toml::Position& at, std::string_view message) {
    return fmt::format("{}:{}:{}: {}", file_name, at.line, at.column, message);
  };
  auto root = toml::parse(text);
  if (!root) return Error{Code::Invalid, fault_text(root.error().at, root.error().message)};
  std::vector<toml::Fault> faults;
  Reader top(*root, "", faults);
  FleetFile fleet;
  top.require("format").integer("format", kFormat, kFormat);
  fleet.seed = static_cast<std::uint64_t>(top.integer("seed", 0).value_or(1));
  fleet.control = top.string("control").value_or("");
  fleet.certificate_folder = top.string("certificate").value_or("");
  HardwareTable hardware{{"generic", std::make_shared<const Hardware>(generic_server())}};
  if (auto table = top.table("hardware")) {
    for (const auto& member : table->raw().members()) {
      if (auto one = table->table(member.key)) hardware[member.key] = read_hardware(*one, member.key);
    }
  }
  MachineSpec defaults;
  defaults.hardware = hardware["generic"];
  defaults.accounts.push_back({"admin", Secret("password"), Privilege::Administrator});
  if (auto table = top.table("defaults")) {
    read_common(*table, hardware, defaults);
    table->finish();
  }
  for (auto& machine : top.tables("machine")) read_machine(machine, hardware, defaults, fleet);
  for (auto& table : top.tables("fault")) fleet.faults.push_back(read_fault(table));
  top.finish();
  std::set<std::string> taken;
  for (const auto& machine : fleet.machines) {
    // TCP and UDP ports are apart: Redfish and IPMI may share a number.
    for (const auto& [kind, value] : {std::pair<std::string, const std::string&>{"the name", machine.name},
                                      {"the redfish address", machine.redfish},
                                      {"the ipmi address", machine.ipmi}}) {
      if (value.empty() || taken.insert(kind + value).second) continue;
      faults.push_back({{1, 1, 0}, fmt::format("two machines have {} \"{}\"", kind, value)});
    }
  }
  if (faults.empty()) return fleet;
  std::string message;
  for (const auto& fault : faults) message += (message.empty() ? "" : "\n") + fault_text(fault.at, fault.message);
  return Error{Code::Invalid, message};
}

}  // namespace nimbus::simulator
