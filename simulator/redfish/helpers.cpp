#include <fmt/format.h>

#include "base/text/text.hpp"
#include "simulator/redfish/routes.hpp"

namespace nimbus::simulator::redfish {

Json document(std::string_view path, std::string_view type, std::string_view id, std::string_view name) {
  return Json::object({{"@odata.id", path}, {"@odata.type", type}, {"Id", id}, {"Name", name}});
}

Json collection(std::string_view path, std::string_view type, std::string_view name,
                const std::vector<std::string>& members) {
  return Json::object({{"@odata.id", path},
                       {"@odata.type", type},
                       {"Name", name},
                       {"Members@odata.count", members.size()},
                       {"Members", links(members)}});
}

Json link(std::string_view path) { return Json::object({{"@odata.id", path}}); }

Json links(const std::vector<std::string>& paths) {
  Json out = Json::array();
  for (const auto& path : paths) out.push(link(path));
  return out;
}

Json status_ok() { return Json::object({{"State", "Enabled"}, {"Health", "OK"}}); }

Json strings(std::initializer_list<std::string_view> values) {
  Json out = Json::array();
  for (const auto value : values) out.push(value);
  return out;
}

Response no_content() { return {.status = 204, .headers = {{"OData-Version", "4.0"}}}; }

namespace {

/// iLO: every id ends in a slash, and the link to the BIOS is in lower case.
Json with_slashes(const Json& value) {
  if (value.is_array()) {
    Json::Array items;
    for (const auto& item : value.items()) items.push_back(with_slashes(item));
    Json out;
    out.adopt_items(std::move(items));
    return out;
  }
  if (!value.is_object()) return value;
  Json::Object members;
  for (const auto& [key, member] : value.members()) {
    const auto text = member.as_string();
    if (key != "@odata.id" || !text) {
      members.push_back({key, with_slashes(member)});
      continue;
    }
    std::string id(*text);
    if (id.ends_with("/Bios")) id = base::to_lower(id);
    if (!id.ends_with('/')) id += '/';
    members.push_back({key, Json(std::move(id))});
  }
  Json out;
  out.adopt_members(std::move(members));
  return out;
}

}  // namespace

std::string text_of(const Quirks& quirks, const Json& document) {
  return quirks.has(Quirk::TrailingSlashes) ? with_slashes(document).text() : document.text();
}

std::string etag_of(std::string_view body) { return fmt::format("\"{:016X}\"", stable_hash(0, body)); }

std::optional<Response> refuse_apply_time(const Call& call, const Json& value) {
  if (call.quirks().has(Quirk::ApplyTimeRefused)) return call.refuse(400, "PropertyUnknown", {kApplyTime}, kApplyTime);
  if (value["ApplyTime"].as_string() != "OnReset")
    return call.refuse(400, "PropertyValueNotInList", {value["ApplyTime"].text(), "ApplyTime"}, kApplyTime);
  return std::nullopt;
}

Json settings_annotation(const Call& call, std::string_view path) {
  Json out = Json::object({{"@odata.type", "#Settings.v1_3_5.Settings"}, {"SettingsObject", link(path)}});
  if (!call.quirks().has(Quirk::ApplyTimeRefused)) out.set("SupportedApplyTimes", strings({"OnReset"}));
  return out;
}

Response with_document(Call& call, Getter getter) {
  auto found = getter(call);
  if (!found) return call.refuse(404, "ResourceMissingAtURI", {call.path});
  Response out{.status = 200,
               .headers = {{"Content-Type", "application/json"}, {"OData-Version", "4.0"}},
               .body = text_of(call.quirks(), *found)};
  return out;
}

namespace {
bool is(const Call& call, const std::string& path) {
  return !call.ids.empty() && std::string_view(path).substr(path.rfind('/') + 1) == call.ids[0];
}
}  // namespace

bool is_system(const Call& call) { return is(call, call.service.system); }
bool is_manager(const Call& call) { return is(call, call.service.manager); }
bool is_chassis(const Call& call) { return is(call, call.service.chassis); }

}  // namespace nimbus::simulator::redfish
