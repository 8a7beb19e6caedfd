#include "drivers/redfish/documents.hpp"

#include "base/text/text.hpp"

namespace nimbus::redfish {
namespace {

using base::Json;

constexpr std::size_t kMostText = 1024;

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

}  // namespace

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
          .session_service = link_of(json["SessionService"]),
          .sessions = link_of(json["Links"]["Sessions"])};
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
  const Json& reset = json["Actions"]["#ComputerSystem.Reset"];
  if (auto target = std::string(reset["target"].as_string().value_or("")); !target.empty()) {
    out.reset = ResetAction{.target = std::move(target),
                            .allowable = texts_of(reset["ResetType@Redfish.AllowableValues"]),
                            .action_info = std::string(reset["@Redfish.ActionInfo"].as_string().value_or(""))};
  }
  // Older Huawei firmware says Managers for ManagedBy.
  out.managers = links_of(json["Links"]["ManagedBy"]);
  if (out.managers.empty()) out.managers = links_of(json["Links"]["Managers"]);
  return out;
}

Manager read_manager(const Json& json) {
  return {.uuid = text_of(json["UUID"]),
          .firmware_version = text_of(json["FirmwareVersion"]),
          .type = text_of(json["ManagerType"])};
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
