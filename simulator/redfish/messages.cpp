#include "simulator/redfish/messages.hpp"

#include <fmt/format.h>

namespace nimbus::simulator::redfish {
namespace {

using base::Json;

constexpr std::string_view kRegistry = "Base.1.13.";

struct Template {
  std::string_view id;
  std::string_view text;  // %1, %2 …
  std::string_view severity;
  std::string_view resolution;
  int arguments;
};
constexpr Template kTemplates[] = {
    {"Success", "The request completed successfully.", "OK", "None.", 0},
    {"Created", "The resource was created successfully.", "OK", "None.", 0},
    {"GeneralError", "A general error has occurred. See Resolution for information on how to resolve the error.",
     "Critical", "None.", 0},
    {"ResourceMissingAtURI", "The resource at the URI '%1' was not found.", "Critical",
     "Place a valid resource at the URI or correct the URI and resubmit the request.", 1},
    {"OperationNotAllowed", "The HTTP method is not allowed on this resource.", "Critical", "None.", 0},
    {"MalformedJSON", "The request body submitted was malformed JSON and could not be parsed by the receiving service.",
     "Critical", "Ensure that the request body is valid JSON and resubmit the request.", 0},
    {"UnrecognizedRequestBody", "The service was unable to parse or recognize the request body.", "Warning",
     "Correct the request body and resubmit the request.", 0},
    {"PropertyUnknown", "The property '%1' is not in the list of valid properties for the resource.", "Warning",
     "Remove the unknown property from the request body and resubmit the request.", 1},
    {"PropertyNotWritable", "The property '%1' is a read-only property and cannot be assigned a value.", "Warning",
     "Remove the property from the request body and resubmit the request.", 1},
    {"PropertyMissing", "The property '%1' is a required property and must be included in the request.", "Warning",
     "Ensure that the property is in the request body and resubmit the request.", 1},
    {"PropertyValueTypeError", "The value '%1' for the property '%2' is not a type that the property can accept.",
     "Warning", "Correct the value for the property in the request body and resubmit the request.", 2},
    {"PropertyValueNotInList", "The value '%1' for the property '%2' is not in the list of acceptable values.",
     "Warning", "Choose a value from the enumeration list and resubmit the request.", 2},
    {"PropertyValueConflict",
     "The property '%1' could not be written because its value would conflict with the value of the '%2' property.",
     "Warning", "None.", 2},
    {"PropertyValueIncorrect",
     "The property '%1' with the requested value of '%2' could not be written because the value does not meet the "
     "constraints of the implementation.",
     "Warning", "No resolution is required.", 2},
    {"PropertyValueOutOfRange",
     "The value '%1' for the property '%2' is not in the supported range of acceptable values.", "Warning",
     "Correct the value for the property in the request body and resubmit the request.", 2},
    {"ActionNotSupported", "The action '%1' is not supported by the resource.", "Critical",
     "The action supplied cannot be resubmitted to the implementation.", 1},
    {"ActionParameterMissing", "The action '%1' requires that the parameter '%2' be present in the request body.",
     "Critical", "Supply the action with the required parameter in the request body.", 2},
    {"ActionParameterNotSupported", "The parameter '%1' for the action '%2' is not supported on the target resource.",
     "Warning", "Remove the parameter supplied and resubmit the request.", 2},
    {"ActionParameterUnknown", "The action '%1' was submitted with the invalid parameter '%2'.", "Warning",
     "Correct the invalid parameter and resubmit the request.", 2},
    {"ActionParameterValueNotInList",
     "The value '%1' for the parameter '%2' in the action '%3' is not in the list of acceptable values.", "Warning",
     "Choose a value from the list and resubmit the request.", 3},
    {"ActionParameterValueTypeError",
     "The value '%1' for the parameter '%2' in the action '%3' is not a type that the parameter can accept.", "Warning",
     "Correct the value for the parameter in the request body and resubmit the request.", 3},
    {"ActionParameterValueConflict",
     "The parameter '%1' with the requested value of '%2' does not meet the constraints of the implementation.",
     "Warning", "Change one of the conflicting parameter values and resubmit the request.", 2},
    {"ResourceInStandby", "The request could not be performed because the resource is in standby.", "Critical",
     "Ensure that the resource is in the correct power state and resubmit the request.", 0},
    {"ResourceInUse", "The change to the requested resource failed because the resource is in use or in transition.",
     "Warning", "Remove the condition and resubmit the request if the operation failed.", 0},
    {"ResourceCannotBeDeleted", "The delete request failed because the resource requested cannot be deleted.",
     "Critical", "Do not attempt to delete a non-deletable resource.", 0},
    {"ResourceAlreadyExists",
     "The requested resource of type %1 with the property '%2' with the value '%3' already exists.", "Critical",
     "Do not repeat the create operation as the resource has already been created.", 3},
    {"CreateLimitReachedForResource",
     "The create operation failed because the resource has reached the limit of possible resources.", "Critical",
     "Either delete resources and resubmit the request, or do not resubmit the request.", 0},
    {"SessionLimitExceeded",
     "The session establishment failed due to the number of simultaneous sessions exceeding the limit of the "
     "implementation.",
     "Critical",
     "Reduce the number of other sessions before trying to establish the session or increase the limit of simultaneous "
     "sessions, if supported.",
     0},
    {"EventSubscriptionLimitExceeded",
     "The event subscription failed due to the number of simultaneous subscriptions exceeding the limit of the "
     "implementation.",
     "Critical",
     "Reduce the number of other subscriptions before trying to establish the event subscription or increase the limit "
     "of simultaneous subscriptions, if supported.",
     0},
    {"NoValidSession", "There is no valid session established with the implementation.", "Critical",
     "Establish a session before attempting any operations.", 0},
    {"InsufficientPrivilege",
     "There are insufficient privileges for the account or credentials associated with the current session to perform "
     "the requested operation.",
     "Critical",
     "Either abandon the operation or change the associated access rights and resubmit the request if the operation "
     "failed.",
     0},
    {"PreconditionFailed", "The ETag supplied did not match the ETag required to change this resource.", "Critical",
     "Try the operation again using the appropriate ETag.", 0},
    {"PreconditionRequired", "A precondition header or annotation is required to change this resource.", "Critical",
     "Try the operation again using an If-Match or If-None-Match header and appropriate ETag.", 0},
    {"ServiceTemporarilyUnavailable", "The service is temporarily unavailable. Retry in %1 seconds.", "Critical",
     "Wait for the indicated retry duration and retry the operation.", 1},
};

const Template* find(std::string_view id) {
  for (const auto& entry : kTemplates) {
    if (entry.id == id) return &entry;
  }
  return nullptr;
}

std::string fill(std::string_view text, std::initializer_list<std::string_view> arguments) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 1 < text.size() && text[i + 1] >= '1' && text[i + 1] <= '9') {
      const auto index = static_cast<std::size_t>(text[i + 1] - '1');
      out += index < arguments.size() ? *(arguments.begin() + index) : std::string_view("unknown");
      ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string full_id(std::string_view id) {
  return find(id) != nullptr ? fmt::format("{}{}", kRegistry, id) : std::string(id);
}

}  // namespace

Json message(std::string_view id, std::initializer_list<std::string_view> arguments,
             std::string_view related_property) {
  const Template* entry = find(id);
  Json args = Json::array();
  for (const auto argument : arguments) args.push(argument);
  Json out = Json::object({{"@odata.type", "#Message.v1_1_2.Message"},
                           {"MessageId", full_id(id)},
                           {"Message", entry != nullptr ? fill(entry->text, arguments) : std::string(id)},
                           {"MessageArgs", std::move(args)},
                           {"MessageSeverity", entry != nullptr ? entry->severity : "Critical"},
                           {"Resolution", entry != nullptr ? entry->resolution : "None."}});
  if (!related_property.empty()) out.set("RelatedProperties", Json::array({fmt::format("#/{}", related_property)}));
  return out;
}

http::Response error(const Quirks& quirks, int status, std::string_view id,
                     std::initializer_list<std::string_view> arguments, std::string_view related_property) {
  Json first = message(id, arguments, related_property);
  const std::string text(first["Message"].as_string().value_or(""));
  http::Response out{.status = status, .headers = {{"Content-Type", "application/json"}, {"OData-Version", "4.0"}}};
  if (quirks.has(Quirk::PlainTextErrors) && status == 400) {
    out.body = text;
    return out;
  }
  if (quirks.has(Quirk::MessageIdWithoutRegistry)) first.set("MessageId", id);
  Json inner = Json::object();
  if (!quirks.has(Quirk::ErrorCodeMissing)) inner.set("code", full_id(id));
  inner.set("message", text);
  inner.set("@Message.ExtendedInfo",
            quirks.has(Quirk::ExtendedInfoIsObject) ? std::move(first) : Json::array({std::move(first)}));
  out.body = Json::object({{"error", std::move(inner)}}).text();
  return out;
}

Json base_registry() {
  Json messages = Json::object();
  for (const auto& entry : kTemplates) {
    Json types = Json::array();
    for (int i = 0; i < entry.arguments; ++i) types.push("string");
    messages.set(std::string(entry.id), Json::object({{"Description", entry.text},
                                                      {"Message", entry.text},
                                                      {"MessageSeverity", entry.severity},
                                                      {"NumberOfArgs", entry.arguments},
                                                      {"ParamTypes", std::move(types)},
                                                      {"Resolution", entry.resolution}}));
  }
  return Json::object({{"@odata.type", "#MessageRegistry.v1_6_0.MessageRegistry"},
                       {"@odata.id", "/redfish/v1/Registries/Base/Base"},
                       {"Id", "Base.1.13.0"},
                       {"Name", "Base Message Registry"},
                       {"Language", "en"},
                       {"RegistryPrefix", "Base"},
                       {"RegistryVersion", "1.13.0"},
                       {"OwningEntity", "DMTF"},
                       {"Messages", std::move(messages)}});
}

}  // namespace nimbus::simulator::redfish
