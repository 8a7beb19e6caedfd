// EventService, its subscriptions and the event stream (DSP2046, EventService and
// EventDestination; DSP0266, section 14).
#include <fmt/format.h>

#include <algorithm>

#include "base/text/text.hpp"
#include "simulator/redfish/routes.hpp"

namespace nimbus::simulator::redfish {
namespace {

constexpr std::string_view kService = "/redfish/v1/EventService";
constexpr std::string_view kSubscriptions = "/redfish/v1/EventService/Subscriptions";
constexpr std::size_t kMostText = 1024;
constexpr std::size_t kMostItems = 16;

std::optional<Json> event_service(Call&) {
  Json out = document(kService, "#EventService.v1_10_0.EventService", "EventService", "Event Service");
  out.set("ServiceEnabled", true);
  out.set("DeliveryRetryAttempts", Events::kRetries);
  out.set("DeliveryRetryIntervalSeconds", Events::kRetryInterval.count());
  out.set("EventFormatTypes", strings({"Event"}));
  out.set("RegistryPrefixes", strings({"ResourceEvent"}));
  out.set("ResourceTypes", strings({"ComputerSystem", "Chassis"}));
  out.set("ServerSentEventUri", kEventStream);
  out.set("SSEFilterPropertiesSupported", Json::object({{"EventFormatType", false},
                                                        {"MessageId", false},
                                                        {"OriginResource", false},
                                                        {"RegistryPrefix", false},
                                                        {"ResourceType", false}}));
  out.set("Subscriptions", link(kSubscriptions));
  Json action = Json::object({{"target", fmt::format("{}/Actions/EventService.SubmitTestEvent", kService)}});
  out.set("Actions", Json::object({{"#EventService.SubmitTestEvent", std::move(action)}}));
  out.set("Status", status_ok());
  return out;
}

std::optional<Json> list(Call& call) {
  std::vector<std::string> members;
  for (const auto& one : call.service.events.all()) members.push_back(fmt::format("{}/{}", kSubscriptions, one.id));
  return collection(kSubscriptions, "#EventDestinationCollection.EventDestinationCollection", "Event Subscriptions",
                    members);
}

Json document_of(const Subscription& one) {
  Json out = document(fmt::format("{}/{}", kSubscriptions, one.id), "#EventDestination.v1_14_0.EventDestination",
                      one.id, "Event Subscription");
  // A stream goes to nowhere that has an address.
  if (!one.stream) out.set("Destination", one.destination);
  out.set("SubscriptionType", one.stream ? "SSE" : "RedfishEvent");
  out.set("Protocol", "Redfish");
  out.set("EventFormatType", "Event");
  out.set("Context", one.context.empty() ? Json() : Json(one.context));
  out.set("DeliveryRetryPolicy", "TerminateAfterRetries");
  Json prefixes = Json::array();
  for (const auto& prefix : one.registry_prefixes) prefixes.push(prefix);
  out.set("RegistryPrefixes", std::move(prefixes));
  Json types = Json::array();
  for (const auto& type : one.resource_types) types.push(type);
  out.set("ResourceTypes", std::move(types));
  out.set("HttpHeaders", Json::array());  // what was given is not shown: it may be a secret
  out.set("Status", status_ok());
  return out;
}

std::optional<Json> one_subscription(Call& call) {
  const Subscription* found = call.service.events.find(call.ids[0]);
  if (found == nullptr) return std::nullopt;
  return document_of(*found);
}

std::optional<Response> read_list(const Call& call, const std::string& name, const Json& value,
                                  std::vector<std::string>& into) {
  if (!value.is_array() || value.items().size() > kMostItems)
    return call.refuse(400, "PropertyValueTypeError", {value.text(), name}, name);
  for (const auto& item : value.items()) {
    const auto text = item.as_string();
    if (!text || text->size() > kMostText) return call.refuse(400, "PropertyValueTypeError", {item.text(), name}, name);
    into.emplace_back(*text);
  }
  return std::nullopt;
}

/// [{"X-Name": "value"}]. A line break would make a second header of it.
std::optional<Response> read_headers(const Call& call, const Json& value, Subscription& into) {
  const auto wrong = [&] { return call.refuse(400, "PropertyValueTypeError", {"****", "HttpHeaders"}, "HttpHeaders"); };
  if (!value.is_array() || value.items().size() > kMostItems) return wrong();
  for (const auto& item : value.items()) {
    for (const auto& [name, member] : item.members()) {
      const auto text = member.as_string();
      const auto harmless = [](std::string_view part) {
        return part.size() <= kMostText && std::ranges::none_of(part, [](unsigned char c) { return c < ' '; });
      };
      if (!text || name.empty() || !harmless(name) || name.find(':') != std::string::npos || !harmless(*text))
        return wrong();
      into.headers.emplace_back(name, *text);
    }
  }
  return std::nullopt;
}

std::optional<Response> read_property(const Call& call, const std::string& name, const Json& value,
                                      Subscription& into) {
  const auto text = value.as_string();
  const auto one_of = [&](std::initializer_list<std::string_view> allowed) -> std::optional<Response> {
    if (text && std::find(allowed.begin(), allowed.end(), *text) != allowed.end()) return std::nullopt;
    return call.refuse(400, "PropertyValueNotInList", {value.text(), name}, name);
  };
  if (name == "Destination") {
    const bool usable = text && text->starts_with("http://") && text->size() <= kMostText &&
                        std::ranges::none_of(*text, [](unsigned char c) { return c <= ' ' || c > '~'; });
    if (!usable) return call.refuse(400, "PropertyValueTypeError", {value.text(), name}, name);
    into.destination = *text;
    return std::nullopt;
  }
  if (name == "Context") {
    if (!text || text->size() > kMostText)
      return call.refuse(400, "PropertyValueTypeError", {value.text(), name}, name);
    into.context = *text;
    return std::nullopt;
  }
  if (name == "Protocol") return one_of({"Redfish"});
  if (name == "EventFormatType") return one_of({"Event"});
  if (name == "SubscriptionType") return one_of({"RedfishEvent"});
  if (name == "DeliveryRetryPolicy") return one_of({"TerminateAfterRetries"});
  if (name == "RegistryPrefixes") return read_list(call, name, value, into.registry_prefixes);
  if (name == "ResourceTypes") return read_list(call, name, value, into.resource_types);
  if (name == "HttpHeaders") return read_headers(call, value, into);
  if (name == "EventTypes") return std::nullopt;  // of older clients, which mean all of them
  return call.refuse(400, "PropertyUnknown", {name}, name);
}

Response subscribe(Call& call) {
  for (const char* name : {"Destination", "Protocol"}) {
    if (call.body.find(name) == nullptr) return call.refuse(400, "PropertyMissing", {name}, name);
  }
  Subscription wanted;
  for (const auto& [name, value] : call.body.members()) {
    if (auto refusal = read_property(call, name, value, wanted)) return std::move(*refusal);
  }
  const Subscription* made = call.service.events.add(std::move(wanted));
  if (made == nullptr) return call.refuse(503, "EventSubscriptionLimitExceeded");
  return {.status = 201,
          .headers = {{"Content-Type", "application/json"},
                      {"OData-Version", "4.0"},
                      {"Location", fmt::format("{}/{}", kSubscriptions, made->id)}},
          .body = text_of(call.quirks(), document_of(*made))};
}

Response patch_subscription(Call& call) {
  Subscription* found = call.service.events.find(call.ids[0]);
  if (found == nullptr) return call.refuse(404, "ResourceMissingAtURI", {call.path});
  Subscription changed = *found;
  for (const auto& [name, value] : call.body.members()) {
    if (name != "Context" && name != "HttpHeaders") return call.refuse(400, "PropertyNotWritable", {name}, name);
    if (name == "HttpHeaders") changed.headers.clear();
    if (auto refusal = read_property(call, name, value, changed)) return std::move(*refusal);
  }
  *found = std::move(changed);
  return with_document(call, one_subscription);
}

Response unsubscribe(Call& call) {
  if (!call.service.events.remove(call.ids[0])) return call.refuse(404, "ResourceMissingAtURI", {call.path});
  return no_content();
}

Response submit_test_event(Call& call) {
  const auto message = call.body["Message"].as_string().value_or("A test.");
  const auto id = call.body["MessageId"].as_string().value_or("ResourceEvent.1.3.0.TestMessage");
  if (message.size() > kMostText || id.size() > kMostText)
    return call.refuse(400, "ActionParameterValueConflict", {"Message", "too long"}, "Message");
  call.service.events.send(event_record(id, message, {}, "OK", kService, call.machine.bmc_time()));
  return no_content();
}

constexpr Route kRoutes[] = {
    {.pattern = kService, .get = event_service},
    {.pattern = kSubscriptions, .get = list, .post = subscribe},
    {.pattern = "/redfish/v1/EventService/Subscriptions/{}",
     .get = one_subscription,
     .patch = patch_subscription,
     .remove = unsubscribe},
    {.pattern = "/redfish/v1/EventService/Actions/EventService.SubmitTestEvent", .post = submit_test_event},
};

}  // namespace

std::span<const Route> event_routes() noexcept { return kRoutes; }

Response open_event_stream(Call& call) {
  const std::uint64_t number = call.service.events.next_stream();
  Subscription stream;
  stream.stream = number;
  if (call.service.events.add(std::move(stream)) == nullptr) return call.refuse(503, "EventSubscriptionLimitExceeded");
  return {.status = 200,
          .headers = {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-cache"}, {"OData-Version", "4.0"}},
          .body = ": this stream carries events\n\n",
          .stream = number};
}

}  // namespace nimbus::simulator::redfish
