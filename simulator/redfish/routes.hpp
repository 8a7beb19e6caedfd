// The resources of a service: which path has which document, and what may be done there.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/redfish/service.hpp"

namespace nimbus::simulator::redfish {

/// One request on its way through the table.
struct Call {
  Service& service;
  Machine& machine;
  const Request& request;
  std::string path;                        // without a slash at the end
  std::vector<std::string_view> ids = {};  // what stood for {} in the pattern
  Privilege privilege = Privilege::None;
  Json body = {};

  const Quirks& quirks() const noexcept { return machine.quirks; }
  Response refuse(int status, std::string_view id, std::initializer_list<std::string_view> arguments = {},
                  std::string_view property = {}) const {
    return error(machine.quirks, status, id, arguments, property);
  }
};

/// The document, or nothing if there is no such resource.
using Getter = std::optional<Json> (*)(Call&);
/// Does it and answers.
using Doer = Response (*)(Call&);

struct Route {
  std::string_view pattern;  // "/redfish/v1/Systems/{}/Bios"
  Getter get = nullptr;
  Doer patch = nullptr;
  Doer post = nullptr;
  Doer remove = nullptr;
  Privilege write = Privilege::Operator;  // least for anything but GET
  Doer look = nullptr;                    // instead of `get`: an answer to GET that is more than a document
};

std::span<const Route> root_routes() noexcept;
std::span<const Route> session_routes() noexcept;
std::span<const Route> account_routes() noexcept;
std::span<const Route> system_routes() noexcept;
std::span<const Route> boot_option_routes() noexcept;
std::span<const Route> firmware_routes() noexcept;
std::span<const Route> component_routes() noexcept;
std::span<const Route> media_routes() noexcept;
std::span<const Route> chassis_routes() noexcept;
std::span<const Route> manager_routes() noexcept;
std::span<const Route> log_routes() noexcept;
std::span<const Route> task_routes() noexcept;
std::span<const Route> update_routes() noexcept;
std::span<const Route> event_routes() noexcept;
std::span<const Route> volume_routes() noexcept;

/// Answers with a stream that stays open; its events follow.
constexpr std::string_view kEventStream = "/redfish/v1/EventService/SSE";
Response open_event_stream(Call& call);

/// The OData metadata document: where the schemas are that this service uses.
std::string metadata();

// Helpers that all documents share.
/// {"@odata.id": path, "@odata.type": type, "Id": …, "Name": …}
Json document(std::string_view path, std::string_view type, std::string_view id, std::string_view name);
Json collection(std::string_view path, std::string_view type, std::string_view name,
                const std::vector<std::string>& members);
Json link(std::string_view path);
Json links(const std::vector<std::string>& paths);
Json status_ok();
Json strings(std::initializer_list<std::string_view> values);
Response no_content();
/// 202 with the task that was started.
Response task_started(const Call& call, const Task& task);
/// Of a request to a settings resource: it can say OnReset, where it is known at all (DSP0266, 8.4).
constexpr std::string_view kApplyTime = "@Redfish.SettingsApplyTime";
std::optional<Response> refuse_apply_time(const Call& call, const Json& value);
/// The annotation that leads there.
Json settings_annotation(const Call& call, std::string_view path);
/// 200 with the document as it is now.
Response with_document(Call& call, Getter getter);
/// The text of a document as this BMC writes it.
std::string text_of(const Quirks& quirks, const Json& document);
std::string etag_of(std::string_view body);
bool is_system(const Call& call);
bool is_manager(const Call& call);
bool is_chassis(const Call& call);

}  // namespace nimbus::simulator::redfish
