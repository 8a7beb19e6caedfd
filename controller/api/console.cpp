#include "controller/api/console.hpp"

#include "base/json/json.hpp"
#include "base/text/text.hpp"
#include "controller/api/answer.hpp"

namespace nimbus::controller {
namespace {

using base::HttpResponse;
using base::Json;

std::string base64_of(const std::string& bytes) {
  return base::to_base64({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

Result<Json> small_object(const ApiRequest& request) {
  return base::parse_json(request.http.body, {.bytes = 16 * 1024, .depth = 2, .values = 4});
}

HttpResponse json(const Json& body) { return {.content_type = "application/json", .body = body.text() + "\n"}; }

}  // namespace

HttpResponse console_attach(const ConsoleAccess& consoles, const std::string& machine) {
  const auto after = consoles.attach(machine);
  if (!after) return problem(after.error());
  return json(Json::object({{"after", *after}}));
}

HttpResponse console_read(const ConsoleAccess& consoles, const ApiRequest& request) {
  const auto body = small_object(request);
  const auto number = body ? (*body)["after"].as_int() : std::nullopt;
  if (!number || *number < 0 || body->size() != 1)
    return problem(400, "INVALID_ARGUMENT",
                   "the body must be an object with \"after\", a number from an earlier answer");
  const std::int64_t after = *number;
  const auto piece = consoles.read(request.parts.at("machine"), after);
  if (!piece) return problem(piece.error());
  return json(Json::object({{"base64", base64_of(piece->bytes)}, {"next", piece->next}}));
}

HttpResponse console_type(const ConsoleAccess& consoles, const ApiRequest& request) {
  constexpr std::size_t kMostKeys = 4096;
  const auto body = small_object(request);
  const auto text = body ? (*body)["base64"].as_string() : std::nullopt;
  const auto keys = text ? base::from_base64(*text) : std::nullopt;
  if (!keys || keys->empty() || keys->size() > kMostKeys || body->size() != 1)
    return problem(400, "INVALID_ARGUMENT", "the body must be an object with \"base64\" of 1 to 4096 bytes");
  auto typed = consoles.type(request.parts.at("machine"), {keys->begin(), keys->end()});
  if (!typed) return problem(typed.error());
  return {.status = 204};
}

}  // namespace nimbus::controller
