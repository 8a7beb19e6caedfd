#include "drivers/redfish/boot_order.hpp"

#include <algorithm>
#include <map>

#include "base/text/text.hpp"
#include "drivers/redfish/boot_document.hpp"
#include "drivers/redfish/documents.hpp"
#include "drivers/redfish/error_body.hpp"
#include "drivers/redfish/patch.hpp"
#include "drivers/redfish/tasks.hpp"
#include "drivers/redfish/walk.hpp"

namespace nimbus::redfish {
namespace {

using base::Json;

bool contains(const std::vector<std::string>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

Json list_of(const std::vector<std::string>& texts) {
  Json out = Json::array();
  for (const auto& text : texts) out.push(text);
  return out;
}

}  // namespace

BootOrderDocument read_boot_order(const Json& resource) {
  const Json& boot = resource["Boot"];
  const auto times = texts_of(resource["@Redfish.Settings"]["SupportedApplyTimes"]);
  return {.order = texts_of(boot["BootOrder"]),
          .has_order = boot["BootOrder"].is_array(),
          .options = link_of(boot["BootOptions"]),
          .applies_on_reset = contains(times, "OnReset")};
}

Result<std::vector<std::string>> reordered(const std::vector<std::string>& order,
                                           const std::vector<std::string>& first) {
  std::vector<std::string> out;
  for (const auto& id : first) {
    if (!contains(order, id))
      return Error{Code::Invalid, "the boot order has no entry '" + base::printable(id, 100) + "'"};
    if (contains(out, id)) return Error{Code::Invalid, "'" + base::printable(id, 100) + "' is named twice"};
    out.push_back(id);
  }
  for (const auto& id : order) {
    if (!contains(out, id)) out.push_back(id);
  }
  return out;
}

Result<BootOrderControl::Resource> BootOrderControl::read_resource(const std::string& link, std::string* settings,
                                                                   const Call& call) {
  const auto answer = machine_.session().get(link, call);
  if (!answer) return answer.error();
  const auto json = parse_document(answer->body);
  if (!json) return Error(json.error()).with("while reading the boot order");
  if (settings != nullptr) *settings = read_settings_link(*json);
  return Resource{.link = link, .etag = etag_of(*answer), .boot = read_boot_order(*json)};
}

Result<BootOrderControl::View> BootOrderControl::read(const Call& call) {
  const auto system = machine_.system_link(call);
  if (!system) return system.error();
  std::string link;
  auto shown = read_resource(*system, &link, call);
  if (!shown) return std::move(shown.error());
  View view{.system = std::move(*shown), .settings = {}};
  if (!link.empty() && link != *system) {
    auto pending = read_resource(link, nullptr, call);
    if (pending && pending->boot.has_order) {
      view.settings = std::move(*pending);
    } else if (!pending && pending.error().code != Code::NotFound) {
      return std::move(pending.error());
    }
  }
  if (!view.target().boot.has_order) return Error{Code::Unsupported, "the BMC does not show a boot order"};
  return view;
}

/// Names where the BMC has them: an order without names is one, too.
Result<std::vector<BootEntry>> BootOrderControl::named(const std::vector<std::string>& order,
                                                       const std::string& options, const Call& call) {
  std::map<std::string, std::string> names;
  Walk walk(machine_, call);
  const auto members = options.empty() ? std::nullopt : walk.members(options);
  if (walk.trouble()) return *walk.trouble();
  for (const auto& option : members.value_or(std::vector<Json>())) {
    const auto name = text_of(option["DisplayName"]);
    names.emplace(text_of(option["BootOptionReference"]), name.empty() ? text_of(option["Name"]) : name);
  }
  std::vector<BootEntry> out;
  for (const auto& id : order) out.push_back({.id = id, .name = names[id]});
  return out;
}

Result<BootOrder> BootOrderControl::shown(const Call& call) {
  const auto view = read(call);
  if (!view) return view.error();
  const auto& next = view->target().boot;
  auto entries = named(next.order, next.options.empty() ? view->system.boot.options : next.options, call);
  if (!entries) return std::move(entries.error());
  return BootOrder{.next = std::move(*entries),
                   .now = view->system.boot.has_order ? view->system.boot.order : next.order};
}

Result<WriteOutcome> BootOrderControl::put_first(const std::vector<std::string>& first, const Call& call) {
  if (auto writable = machine_.check_writable(call); !writable) return std::move(writable.error());
  const auto view = read(call);
  if (!view) return view.error();
  const Resource& to = view->target();
  const auto wanted = reordered(to.boot.order, first);
  if (!wanted) return wanted.error();
  if (*wanted == to.boot.order) return WriteOutcome::AlreadySo;
  Json body = Json::object({{"Boot", Json::object({{"BootOrder", list_of(*wanted)}})}});
  if (&to == &view->settings && view->system.boot.applies_on_reset)
    body.set("@Redfish.SettingsApplyTime",
             Json::object({{"@odata.type", "#Settings.v1_1_0.PreferredApplyTime"}, {"ApplyTime", "OnReset"}}));
  const auto unchanged = [&]() -> Result<bool> {
    const auto now = read_resource(to.link, nullptr, call);
    if (!now) return now.error();
    return now->boot.order == to.boot.order;
  };
  const auto answer =
      patch_resource(machine_, {.link = to.link, .etag = to.etag, .body = body.text()}, unchanged, call);
  if (!answer) return Error(answer.error()).with("while setting the boot order");
  if (!*answer) return WriteOutcome::Unknown;
  if (!is_success((*answer)->status))
    return refusal(**answer, parse_error_body((*answer)->body)).with("while setting the boot order");
  const auto shows = [&]() -> Result<bool> {
    const auto now = read(call);
    if (!now) return now.error();
    return now->target().boot.order == *wanted;
  };
  return outcome_of_write(machine_, **answer, "the boot order", shows, call);
}

}  // namespace nimbus::redfish
