#include "cli/hardware/host_facts.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "base/file/file.hpp"
#include "base/text/text.hpp"

namespace nimbus::cli {
namespace {

constexpr std::size_t kMostBytes = std::size_t{4} << 20U;
constexpr std::uint64_t kSector = 512;

/// One value in a file, without line end; "" if it cannot be read.
std::string value_of(const std::string& path) {
  const auto text = base::read_file(path, kMostBytes);
  if (!text || !base::is_valid_utf8(*text)) return "";
  return std::string(base::trim(*text));
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return number;
}

bool exists(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0;
}

/// Names in a folder of /sys, where most entries are links.
std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> out;
  const auto entries = base::list_folder(folder);
  if (!entries) return out;
  for (const auto& entry : *entries) out.push_back(entry.name);
  return out;
}

/// What is behind the colon of a line of /proc, for lines that begin with `key`.
std::optional<std::string_view> field(std::string_view line, std::string_view key) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || base::trim(line.substr(0, colon)) != key) return std::nullopt;
  return base::trim(line.substr(colon + 1));
}

std::vector<Processor> processors_of(const std::string& root) {
  struct Socket {
    Processor processor;
    std::set<std::string> cores;
    std::uint32_t threads = 0;
  };
  std::map<std::string, Socket> sockets;
  std::string model, vendor, socket = "0", core;
  const std::string text = value_of(root + "/proc/cpuinfo");
  const auto finish = [&] {
    if (core.empty() && model.empty()) return;
    auto& one = sockets[socket];
    one.processor = {.socket = socket, .vendor = vendor, .model = model, .cores = {}, .threads = {}};
    one.cores.insert(core.empty() ? std::to_string(one.threads) : core);
    ++one.threads;
    core.clear();
  };
  for (const auto line : base::split(text, '\n')) {
    if (field(line, "processor")) finish();
    if (const auto value = field(line, "physical id")) socket = *value;
    if (const auto value = field(line, "core id")) core = *value;
    if (const auto value = field(line, "model name")) model = *value;
    if (const auto value = field(line, "vendor_id")) vendor = *value;
  }
  finish();
  std::vector<Processor> out;
  for (auto& [name, one] : sockets) {
    one.processor.cores = static_cast<std::uint32_t>(one.cores.size());
    one.processor.threads = one.threads;
    out.push_back(std::move(one.processor));
  }
  return out;
}

std::optional<std::uint64_t> memory_of(const std::string& root) {
  const std::string text = value_of(root + "/proc/meminfo");
  for (const auto line : base::split(text, '\n')) {
    const auto value = field(line, "MemTotal");
    if (!value) continue;
    constexpr std::uint64_t kKib = 1024;
    constexpr std::uint64_t kGib = kKib * kKib * kKib;
    const auto kib = number_of(*value);
    // The kernel keeps some for itself: up to the next whole GiB is what is built in.
    if (kib) return (*kib * kKib + kGib - 1) / kGib * kGib;
  }
  return std::nullopt;
}

/// Of a SATA or SAS disk: VPD page 80h, as it came from the disk: its number in the second
/// byte, the length in the next two, and text (SPC-5, 7.7.20).
std::string serial_in_page(const std::string& file) {
  constexpr std::size_t kHead = 4;
  constexpr unsigned kPage = 0x80;
  const auto page = base::read_file(file, kMostBytes);
  if (!page || page->size() <= kHead || static_cast<unsigned char>((*page)[1]) != kPage) return "";
  const auto byte = [&](std::size_t at) { return static_cast<std::size_t>(static_cast<unsigned char>((*page)[at])); };
  const auto text = page->substr(kHead, byte(2) << 8U | byte(3));
  return base::is_valid_utf8(text) ? std::string(base::trim(text.substr(0, text.find('\0')))) : "";
}

std::vector<Drive> drives_of(const std::string& root) {
  std::vector<Drive> out;
  const std::string folder = root + "/sys/block/";
  for (const auto& name : names_in(folder)) {
    const std::string disk = folder + name;
    // Loop, RAM and mapped devices hang on no hardware; card readers and CD drives are no place for a system.
    if (!exists(disk + "/device") || name.starts_with("sr") || value_of(disk + "/removable") == "1") continue;
    if (value_of(disk + "/hidden") == "1") continue;  // one of several ways to an NVMe disk
    const auto sectors = number_of(value_of(disk + "/size"));
    if (!sectors || *sectors == 0) continue;
    Drive drive{.slot = name,
                .vendor = value_of(disk + "/device/vendor"),
                .model = value_of(disk + "/device/model"),
                .serial = value_of(disk + "/device/serial"),
                .wwn = value_of(disk + "/wwid"),
                .kind = DriveKind::Unknown,
                .size = *sectors * kSector};
    if (drive.serial.empty()) drive.serial = serial_in_page(disk + "/device/vpd_pg80");
    if (drive.wwn.empty()) drive.wwn = value_of(disk + "/device/wwid");
    const std::string turns = value_of(disk + "/queue/rotational");
    if (turns == "1") drive.kind = DriveKind::Hdd;
    if (turns == "0") drive.kind = name.starts_with("nvme") ? DriveKind::Nvme : DriveKind::Ssd;
    out.push_back(std::move(drive));
  }
  return out;
}

std::vector<NetworkPort> ports_of(const std::string& root) {
  std::vector<NetworkPort> out;
  const std::string folder = root + "/sys/class/net/";
  for (const auto& name : names_in(folder)) {
    if (!exists(folder + name + "/device")) continue;  // bridges, tunnels, lo
    NetworkPort port{
        .name = name, .mac = base::to_lower(value_of(folder + name + "/address")), .link_up = {}, .speed_mbps = {}};
    constexpr std::size_t kMac = 17;
    if (port.mac.size() != kMac || port.mac == "00:00:00:00:00:00") continue;
    const std::string carrier = value_of(folder + name + "/carrier");
    if (!carrier.empty()) port.link_up = carrier == "1";
    port.speed_mbps = number_of(value_of(folder + name + "/speed"));
    out.push_back(std::move(port));
  }
  return out;
}

std::string arch() {
#if defined(__x86_64__)
  return "x86_64";
#elif defined(__aarch64__)
  return "aarch64";
#else
  return "";
#endif
}

}  // namespace

std::map<std::string, SwitchPort> parse_lldp(std::string_view text) {
  std::map<std::string, SwitchPort> out;
  constexpr std::size_t kMostValue = 100;
  for (const auto line : base::split(text, '\n')) {
    const auto equals = line.find('=');
    if (!line.starts_with("lldp.") || equals == std::string_view::npos) continue;
    const auto key = line.substr(5, equals - 5);
    const std::string value = base::printable(base::trim(line.substr(equals + 1)), kMostValue);
    for (const auto& [suffix, member] :
         {std::pair{".chassis.name", &SwitchPort::name}, {".port.ifname", &SwitchPort::port}}) {
      if (key.ends_with(suffix))
        out[std::string(key.substr(0, key.size() - std::string_view(suffix).size()))].*member = value;
    }
  }
  return out;
}

ProposedMachine read_host(const std::string& root) {
  const std::string top = root == "/" ? "" : root;
  const std::string dmi = top + "/sys/class/dmi/id/";
  ProposedMachine out;
  out.inventory.vendor = value_of(dmi + "sys_vendor");
  out.inventory.product = value_of(dmi + "product_name");
  out.identity.serial = normalize_serial(value_of(dmi + "product_serial"));
  if (is_placeholder_identity(out.identity.serial))
    out.identity.serial = normalize_serial(value_of(dmi + "chassis_serial"));
  out.identity.uuid = normalize_uuid(value_of(dmi + "product_uuid"));
  out.inventory.processors = processors_of(top);
  out.inventory.memory = memory_of(top);
  out.inventory.drives = drives_of(top);
  out.inventory.ports = ports_of(top);
  out.arch = arch();
  out.driver = "redfish";
  const std::string product = out.inventory.vendor + " " + out.inventory.product;
  out.heading = (product == " " ? "A machine" : product) + ", as its own system sees it";
  return out;
}

}  // namespace nimbus::cli
