#include "drivers/redfish/error_body.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/json/json.hpp"
#include "base/text/text.hpp"

namespace nimbus::redfish {
namespace {

using base::Json;

constexpr std::size_t kMostMessages = 16;
constexpr std::size_t kMostBodyBytes = 256 * 1024;
constexpr std::size_t kMostShown = 300;
constexpr std::size_t kMostAbout = 200;  // bytes of a name

int rank(const ErrorMessage& message) {
  const auto severity = base::to_lower(message.severity);
  if (severity == "critical") return 0;
  if (severity == "warning") return 1;
  return 2;
}

std::string text_of(const Json& json) { return std::string(json.as_string().value_or("")); }

void take_message(const Json& json, ErrorBody& out) {
  if (!json.is_object() || out.messages.size() >= kMostMessages) return;
  ErrorMessage message{
      .id = text_of(json["MessageId"]), .text = text_of(json["Message"]), .severity = text_of(json["MessageSeverity"])};
  if (message.severity.empty()) message.severity = text_of(json["Severity"]);
  if (message.id.empty() && message.text.empty()) return;
  for (const auto* list : {&json["RelatedProperties"], &json["MessageArgs"]}) {
    for (const auto& item : list->items()) {
      const auto text = item.as_string().value_or("");
      if (!text.empty() && text.size() <= kMostAbout && message.about.size() < kMostMessages)
        message.about.push_back(base::to_lower(text));
    }
  }
  out.messages.push_back(std::move(message));
}

/// A list by the standard; iDRACs were seen with a single object, and with objects
/// under made-up keys.
void take_extended(const Json& json, ErrorBody& out) {
  for (const auto& item : json.items()) take_message(item, out);
  if (!json.is_object()) return;
  take_message(json, out);
  for (const auto& member : json.members()) take_message(member.value, out);
}

}  // namespace

bool ErrorBody::has(std::string_view name) const noexcept {
  return std::any_of(messages.begin(), messages.end(), [&](const ErrorMessage& message) {
    const std::string_view id = message.id;
    return id.ends_with(name) && (id.size() == name.size() || id[id.size() - name.size() - 1] == '.');
  });
}

bool ErrorBody::says(std::string_view words) const noexcept {
  return std::any_of(messages.begin(), messages.end(), [&](const ErrorMessage& message) {
    const auto found = std::search(message.text.begin(), message.text.end(), words.begin(), words.end(),
                                   [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
    return found != message.text.end();
  });
}

bool ErrorBody::names(std::string_view name) const noexcept {
  return std::any_of(messages.begin(), messages.end(), [&](const ErrorMessage& message) {
    return std::any_of(message.about.begin(), message.about.end(), [&](const std::string& about) {
      return about == name || std::string_view(about).substr(about.rfind('/') + 1) == name;
    });
  });
}

std::string ErrorBody::text() const {
  if (messages.empty()) return "";
  const auto& worst = messages.front();
  // An id alone is for those who have its registry; a general text beside it is better than none.
  const auto spoken = std::find_if(messages.begin(), messages.end(), [](const auto& one) { return !one.text.empty(); });
  if (spoken == messages.end()) return base::printable(worst.id, kMostShown);
  const auto said = base::printable(base::trim(spoken->text), kMostShown);
  return worst.id.empty() ? said : said + " [" + base::printable(worst.id, 100) + "]";
}

ErrorBody parse_error_body(std::string_view body) {
  ErrorBody out;
  const auto json =
      base::parse_json(body, {.bytes = kMostBodyBytes, .values = 10'000, .duplicates = base::DuplicateKeys::KeepFirst});
  if (!json) {
    if (const auto text = base::trim(body.substr(0, kMostShown)); !text.empty() && !text.starts_with('<'))
      out.messages.push_back({.id = {}, .text = std::string(text), .severity = {}});
    return out;
  }
  const Json& error = (*json)["error"].is_object() ? (*json)["error"] : *json;
  take_extended(error["@Message.ExtendedInfo"], out);
  if (&error != &*json) take_extended((*json)["@Message.ExtendedInfo"], out);
  std::stable_sort(out.messages.begin(), out.messages.end(),
                   [](const ErrorMessage& a, const ErrorMessage& b) { return rank(a) < rank(b); });
  ErrorMessage summary{.id = text_of(error["code"]), .text = text_of(error["message"]), .severity = {}};
  if (!summary.id.empty() || !summary.text.empty()) out.messages.push_back(std::move(summary));
  return out;
}

std::optional<std::chrono::seconds> retry_after(const base::ClientResponse& response) {
  const auto header = response.header("Retry-After");
  if (!header || header->empty() || header->find_first_not_of("0123456789") != std::string_view::npos)
    return std::nullopt;
  unsigned seconds = 0;
  const auto [end, error] = std::from_chars(header->data(), header->data() + header->size(), seconds);
  if (error != std::errc() || seconds > 86'400) return std::chrono::seconds(86'400);
  return std::chrono::seconds(seconds);
}

bool is_success(int status) noexcept { return status >= 200 && status < 300; }

Error refusal(const base::ClientResponse& response, const ErrorBody& body) {
  std::string message = fmt::format("the BMC answered {}", response.status);
  if (const auto text = body.text(); !text.empty()) message += ": " + text;
  if (const auto wait = retry_after(response)) message += fmt::format(" (it asks to wait {} s)", wait->count());
  const auto code = [&] {
    if (body.has("ResourceInUse") || body.has("ServiceTemporarilyUnavailable") || body.has("ServiceInUnknownState"))
      return Code::Busy;
    switch (response.status) {
      case 401:
      case 403:
        return Code::Auth;
      case 404:
      case 410:
        return Code::NotFound;
      case 405:
      case 501:
        return Code::Unsupported;
      case 409:
      case 412:
      case 428:
        return Code::Conflict;
      case 429:
        return Code::RateLimited;
      default:
        break;
    }
    if (response.status >= 500) return Code::Busy;
    if (response.status >= 400) {
      return body.has("ActionNotSupported") || body.has("ActionParameterNotSupported") ||
                     body.has("ActionParameterValueNotInList")
                 ? Code::Unsupported
                 : Code::Invalid;
    }
    return Code::Corrupt;  // a redirect, or a status that no one asked for
  }();
  return {code, std::move(message)};
}

Error without_secret(Error error, const Secret& secret) {
  constexpr std::string_view kHidden = "***";
  const auto hide = [&](std::string& text) {
    const std::string_view word = secret.reveal();
    for (auto at = text.find(word); !word.empty() && at != std::string::npos; at = text.find(word, at + kHidden.size()))
      text.replace(at, word.size(), kHidden);
  };
  hide(error.message);
  for (auto& line : error.trace) hide(line);
  return error;
}

}  // namespace nimbus::redfish
