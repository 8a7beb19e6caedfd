#include "drivers/redfish/inventory_documents.hpp"

#include <algorithm>
#include <cmath>

#include "base/text/text.hpp"
#include "drivers/redfish/documents.hpp"

namespace nimbus::redfish {
namespace {

using base::Json;

constexpr double kMostBytes = 9.0e18;

bool is_absent(const Json& json) { return text_of(json["Status"]["State"]) == "Absent"; }

std::string first_of(std::initializer_list<const Json*> candidates) {
  for (const Json* candidate : candidates) {
    if (auto text = text_of(*candidate); !text.empty()) return text;
  }
  return "";
}

std::optional<std::uint64_t> size_of(const Json& json, double unit) {
  const auto number = json.as_double();
  if (!number || !(*number > 0) || *number * unit > kMostBytes) return std::nullopt;
  return static_cast<std::uint64_t>(std::llround(*number * unit));
}

std::optional<std::uint32_t> count_of(const Json& json) {
  constexpr std::int64_t kMost = 1'000'000;
  const auto number = json.as_int();
  if (!number || *number <= 0 || *number > kMost) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

DriveKind kind_of(const Json& json) {
  const std::string media = base::to_lower(text_of(json["MediaType"]));
  const std::string protocol = base::to_lower(text_of(json["Protocol"]));
  // iDRAC says PCIe for NVMe.
  if (protocol == "nvme" || protocol == "nvmeoverfabrics" || (protocol == "pcie" && media == "ssd"))
    return DriveKind::Nvme;
  if (media == "ssd") return DriveKind::Ssd;
  return media == "hdd" ? DriveKind::Hdd : DriveKind::Unknown;
}

std::string wwn_of(const Json& json) {
  for (const auto& identifier : json["Identifiers"].items()) {
    const std::string format = text_of(identifier["DurableNameFormat"]);
    if (format == "NAA" || format == "EUI" || format == "NGUID") return text_of(identifier["DurableName"]);
  }
  return "";
}

}  // namespace

std::string normalize_mac(std::string_view text) {
  std::string digits;
  for (const char c : base::to_lower(base::trim(text))) {
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    if (hex) {
      digits += c;
    } else if (c != ':' && c != '-' && c != '.') {
      return "";
    }
  }
  constexpr std::size_t kDigits = 12;
  if (digits.size() != kDigits) return "";
  if (digits.find_first_not_of('0') == std::string::npos || digits.find_first_not_of('f') == std::string::npos)
    return "";
  std::string out;
  for (std::size_t i = 0; i < kDigits; ++i) {
    if (i > 0 && i % 2 == 0) out += ':';
    out += digits[i];
  }
  return out;
}

std::optional<Processor> read_processor(const Json& json) {
  const std::string type = text_of(json["ProcessorType"]);
  if (is_absent(json) || (!type.empty() && type != "CPU")) return std::nullopt;
  Processor out{.socket = first_of({&json["Socket"], &json["Id"]}),
                .vendor = text_of(json["Manufacturer"]),
                .model = text_of(json["Model"]),
                .cores = count_of(json["TotalCores"]),
                .threads = count_of(json["TotalThreads"])};
  if (out.model.empty() && out.vendor.empty() && !out.cores) return std::nullopt;
  return out;
}

std::optional<MemoryModule> read_memory_module(const Json& json) {
  constexpr double kMib = 1024.0 * 1024.0;
  MemoryModule out{.slot = first_of({&json["DeviceLocator"], &json["Id"]}),
                   .vendor = text_of(json["Manufacturer"]),
                   .part_number = text_of(json["PartNumber"]),
                   .serial = text_of(json["SerialNumber"]),
                   .size = size_of(json["CapacityMiB"], kMib)};
  if (is_absent(json) || !out.size) return std::nullopt;
  return out;
}

std::optional<Drive> read_drive(const Json& json) {
  Drive out{.slot = first_of({&json["PhysicalLocation"]["PartLocation"]["ServiceLabel"], &json["Id"], &json["Name"]}),
            .vendor = text_of(json["Manufacturer"]),
            .model = text_of(json["Model"]),
            .serial = text_of(json["SerialNumber"]),
            .wwn = wwn_of(json),
            .kind = kind_of(json),
            .size = size_of(json["CapacityBytes"], 1.0)};
  if (is_absent(json) || (!out.size && out.serial.empty())) return std::nullopt;
  return out;
}

std::vector<Drive> read_simple_devices(const Json& json) {
  std::vector<Drive> out;
  for (const auto& device : json["Devices"].items()) {
    if (out.size() >= kMostMembers || is_absent(device)) continue;
    Drive drive{.slot = text_of(device["Name"]),
                .vendor = text_of(device["Manufacturer"]),
                .model = text_of(device["Model"]),
                .serial = {},
                .wwn = {},
                .kind = DriveKind::Unknown,
                .size = size_of(device["CapacityBytes"], 1.0)};
    if (drive.size) out.push_back(std::move(drive));  // backplanes are listed too, without a size
  }
  return out;
}

std::optional<NetworkPort> read_network_port(const Json& json) {
  const Json& part = json["Ethernet"].is_object() ? json["Ethernet"] : json;
  NetworkPort out{.name = text_of(json["Id"]),
                  .mac = normalize_mac(text_of(part["PermanentMACAddress"])),
                  .link_up = {},
                  .speed_mbps = {}};
  if (out.mac.empty()) out.mac = normalize_mac(text_of(part["MACAddress"]));
  if (out.mac.empty() || is_absent(json)) return std::nullopt;
  const std::string link = text_of(json["LinkStatus"]);
  if (link == "LinkUp" || link == "Up") out.link_up = true;
  if (link == "LinkDown" || link == "Down" || link == "NoLink") out.link_up = false;
  if (const auto speed = count_of(json["SpeedMbps"])) out.speed_mbps = *speed;
  return out;
}

std::optional<FirmwareVersion> read_firmware(const Json& json) {
  const std::string id = text_of(json["Id"]);
  if (id.starts_with("Previous-") || id.starts_with("Available-") || is_absent(json)) return std::nullopt;
  FirmwareVersion out{.component = first_of({&json["Name"], &json["Id"]}), .version = text_of(json["Version"])};
  if (out.component.empty() || out.version.empty()) return std::nullopt;
  return out;
}

}  // namespace nimbus::redfish
