#include "drivers/redfish/documents.hpp"

#include "base/text/text.hpp"

namespace nimbus::redfish {
namespace {

constexpr std::size_t kMostText = 1024;

}  // namespace

using base::Json;

std::string text_of(const Json& json) {
  const auto text = json.as_string().value_or("");
  return std::string(base::trim(text.substr(0, kMostText)));
}

std::string link_of(const Json& json) { return std::string(json["@odata.id"].as_string().value_or("")); }

std::vector<std::string> texts_of(const Json& json) {
  std::vector<std::string> out;
  for (const auto& item : json.items()) {
    if (auto text = text_of(item); !text.empty() && out.size() < kMostMembers) out.push_back(std::move(text));
  }
  return out;
}

std::vector<std::string> links_of(const Json& json) {
  std::vector<std::string> out;
  for (const auto& item : json.items()) {
    if (auto link = link_of(item); !link.empty() && out.size() < kMostMembers) out.push_back(std::move(link));
  }
  return out;
}

Result<Json> parse_document(std::string_view body) {
  auto json = base::parse_json(
      body, {.bytes = std::size_t{4} << 20U, .values = 200'000, .duplicates = base::DuplicateKeys::KeepFirst});
  if (!json) return json;
  if (!json->is_object()) return Error{Code::Corrupt, "the BMC's answer is no JSON object"};
  return json;
}

std::optional<PowerState> parse_power_state(std::string_view text) noexcept {
  if (base::equals_ignoring_case(text, "On")) return PowerState::On;
  if (base::equals_ignoring_case(text, "Off")) return PowerState::Off;
  if (base::equals_ignoring_case(text, "PoweringOn")) return PowerState::PoweringOn;
  if (base::equals_ignoring_case(text, "PoweringOff")) return PowerState::PoweringOff;
  return std::nullopt;
}

ServiceRoot read_service_root(const Json& json) {
  return {.vendor = text_of(json["Vendor"]),
          .product = text_of(json["Product"]),
          .uuid = text_of(json["UUID"]),
          .systems = link_of(json["Systems"]),
          .managers = link_of(json["Managers"]),
          .chassis = link_of(json["Chassis"]),
          .session_service = link_of(json["SessionService"]),
          .account_service = link_of(json["AccountService"]),
          .update_service = link_of(json["UpdateService"]),
          .event_service = link_of(json["EventService"]),
          .sessions = link_of(json["Links"]["Sessions"]),
          .expands = json["ProtocolFeaturesSupported"]["ExpandQuery"]["NoLinks"].as_bool() == true &&
                     json["ProtocolFeaturesSupported"]["ExpandQuery"]["Levels"].as_bool() == true};
}

std::optional<ResetAction> read_reset_action(const Json& action) {
  auto target = std::string(action["target"].as_string().value_or(""));
  if (target.empty()) return std::nullopt;
  return ResetAction{.target = std::move(target),
                     .allowable = texts_of(action["ResetType@Redfish.AllowableValues"]),
                     .action_info = std::string(action["@Redfish.ActionInfo"].as_string().value_or(""))};
}

System read_system(const Json& json) {
  System out{.id = text_of(json["Id"]),
             .name = text_of(json["Name"]),
             .manufacturer = text_of(json["Manufacturer"]),
             .model = text_of(json["Model"]),
             .serial = text_of(json["SerialNumber"]),
             .sku = text_of(json["SKU"]),
             .uuid = text_of(json["UUID"]),
             .bios_version = text_of(json["BiosVersion"]),
             .power_text = text_of(json["PowerState"])};
  out.power = parse_power_state(out.power_text);
  out.reset = read_reset_action(json["Actions"]["#ComputerSystem.Reset"]);
  // Older Huawei firmware says Managers for ManagedBy.
  out.managers = links_of(json["Links"]["ManagedBy"]);
  if (out.managers.empty()) out.managers = links_of(json["Links"]["Managers"]);
  out.chassis = links_of(json["Links"]["Chassis"]);
  out.part_number = text_of(json["PartNumber"]);
  out.asset_tag = text_of(json["AssetTag"]);
  out.boot_order = texts_of(json["Boot"]["BootOrder"]);
  out.memory_gib = json["MemorySummary"]["TotalSystemMemoryGiB"].as_double();
  out.processors = link_of(json["Processors"]);
  out.memory = link_of(json["Memory"]);
  out.storage = link_of(json["Storage"]);
  out.simple_storage = link_of(json["SimpleStorage"]);
  out.ethernet = link_of(json["EthernetInterfaces"]);
  out.bios = link_of(json["Bios"]);
  out.secure_boot = link_of(json["SecureBoot"]);
  out.virtual_media = link_of(json["VirtualMedia"]);
  out.log_services = link_of(json["LogServices"]);
  return out;
}

Manager read_manager(const Json& json) {
  return {.uuid = text_of(json["UUID"]),
          .firmware_version = text_of(json["FirmwareVersion"]),
          .type = text_of(json["ManagerType"]),
          .model = text_of(json["Model"]),
          .virtual_media = link_of(json["VirtualMedia"]),
          .log_services = link_of(json["LogServices"]),
          .date_time = text_of(json["DateTime"]),
          .reset = read_reset_action(json["Actions"]["#Manager.Reset"])};
}

std::vector<std::string> read_members(const Json& json) { return links_of(json["Members"]); }

std::vector<std::string> read_reset_types(const Json& json) {
  for (const auto& parameter : json["Parameters"].items()) {
    if (parameter["Name"].as_string() == "ResetType") return texts_of(parameter["AllowableValues"]);
  }
  return {};
}

std::string read_own_link(const Json& json) { return link_of(json); }

}  // namespace nimbus::redfish
