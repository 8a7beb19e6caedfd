#include "cli/live/nimbusd.hpp"

#include <chrono>

#include <fmt/core.h>

#include "base/text/text.hpp"
#include "cli/settings.hpp"
#include "core/names.hpp"

namespace nimbus::cli {
namespace {

using base::Json;

constexpr std::string_view kUsual = "unix:/run/nimbus/control.sock";
constexpr std::chrono::seconds kPatience{20};
constexpr base::JsonLimits kLimits{.bytes = base::kMostJsonBytes, .depth = 64, .values = 2'000'000};

std::string address_of(const Context& context) {
  if (const auto given = context.args.get("server")) return *given;
  const auto settings = read_settings(settings_path(context.environment));
  if (!settings) return std::string(kUsual);
  const auto found = settings->find("server");
  return found == settings->end() ? std::string(kUsual) : found->second;
}

Code code_of(int status) {
  switch (status) {
    case 400:
      return Code::Invalid;
    case 401:
    case 403:
      return Code::Auth;
    case 404:
      return Code::NotFound;
    case 409:
    case 412:
      return Code::Conflict;
    case 503:
      return Code::Busy;
    default:
      return Code::Internal;
  }
}

Error error_of(const base::LocalResponse& response) {
  const auto body = base::parse_json(response.body);
  const auto detail = body ? (*body)["detail"].as_string() : std::nullopt;
  return {code_of(response.status), detail ? std::string(*detail) : fmt::format("nimbusd answers {}", response.status)};
}

Result<Json> json_of(const base::LocalResponse& response) {
  if (response.status >= 300) return error_of(response);
  if (response.body.empty()) return Json();
  return base::parse_json(response.body, kLimits);
}

/// Takes server-sent events apart; keeps what is not complete yet.
class EventReader {
 public:
  explicit EventReader(const std::function<bool(const Json&)>& event) : event_(event) {}
  bool feed(std::string_view piece) {
    constexpr std::size_t kMost = std::size_t{1} << 20U;
    rest_ += piece;
    while (true) {
      const auto end = rest_.find("\n\n");
      if (end == std::string::npos) return rest_.size() < kMost;
      const std::string block = rest_.substr(0, end);
      rest_.erase(0, end + 2);
      if (!take(block)) return false;
    }
  }

 private:
  bool take(std::string_view block) {
    constexpr std::string_view kData = "data: ";
    const auto at = block.find(kData);
    if (at == std::string_view::npos) return true;  // a comment or a time to retry
    const std::string_view line = block.substr(at + kData.size(), block.find('\n', at) - at - kData.size());
    const auto json = base::parse_json(line);
    return !json || event_(*json);
  }
  const std::function<bool(const Json&)>& event_;
  std::string rest_;
};

}  // namespace

Result<Nimbusd> Nimbusd::of(const Context& context) {
  std::string address = address_of(context);
  constexpr std::string_view kHttp = "http://";
  if (address.starts_with(kHttp)) address.erase(0, kHttp.size());
  if (address.starts_with('/')) address.insert(0, "unix:");
  auto client = base::LocalClient::make(address);
  if (!client) {
    return Error{Code::Invalid, address +
                                    ": nimbusd is asked on its own machine: unix:/path/of/control.sock, or a "
                                    "loopback address for reading"};
  }
  return Nimbusd(std::move(*client));
}

Result<Json> Nimbusd::send(const base::LocalRequest& request) const {
  const auto response = client_.send(request, {std::chrono::steady_clock::now() + kPatience, {}});
  if (!response) return response.error();
  return json_of(*response);
}

Result<Json> Nimbusd::get(const std::string& target) const { return send({.target = target}); }

Result<Json> Nimbusd::change(const std::string& method, const std::string& target, const Json& body) const {
  return send({.method = method,
               .target = target,
               .headers = {{"Content-Type", "application/json"}},
               .body = body.is_null() ? std::string() : body.text()});
}

Result<std::vector<Json>> Nimbusd::all(const std::string& target, const std::string& member) const {
  std::vector<Json> items;
  std::string token;
  do {
    const char joint = target.find('?') == std::string::npos ? '?' : '&';
    auto page = get(fmt::format("{}{}page_size=1000&page_token={}", target, joint, token));
    if (!page) return std::move(page.error());
    for (const auto& item : (*page)[member].items()) items.push_back(item);
    token = (*page)["next_page_token"].as_string().value_or("");
  } while (!token.empty());
  return items;
}

Result<> Nimbusd::events(const std::string& after, const std::string& machine,
                         const std::function<bool(const Json&)>& event) const {
  EventReader reader(event);
  const auto ended = client_.stream({.target = fmt::format("/v1/events?after={}&machine={}", after, machine),
                                     .headers = {{"Accept", "text/event-stream"}}},
                                    {std::chrono::steady_clock::now() + kPatience, {}},
                                    [&](std::string_view piece) { return reader.feed(piece); });
  if (!ended) return ended.error();
  if (ended->status != 200) return error_of(*ended);
  return {};
}

Exit fail_live(Context& context, const Error& error) {
  const Exit exit = fail(context, error);
  switch (error.code) {
    case Code::Unreachable:
    case Code::Timeout:
      context.console.hint(
          "nimbusctl: is nimbusd running here? --server, $NIMBUS_SERVER or the setting 'server' say where\n");
      return Exit::Unreachable;
    case Code::Auth:
      return Exit::Denied;
    case Code::NotFound:
    case Code::Conflict:
    case Code::Invalid:
    case Code::Cancelled:
    case Code::Untrusted:
    case Code::Unsupported:
    case Code::RateLimited:
    case Code::Busy:
    case Code::Corrupt:
    case Code::Internal:
      break;
  }
  return exit;
}

Result<std::string> machine_name(const std::string& text) {
  const auto slash = text.find('/');
  std::string name = slash == std::string::npos ? text : text.substr(slash + 1);
  const bool provider_is_fine = slash == std::string::npos || is_dns_label(text.substr(0, slash));
  if (!provider_is_fine || !is_dns_label(name)) {
    return Error{Code::Invalid, fmt::format("'{}' is no machine's name", base::printable(text, 200))};
  }
  return name;
}

}  // namespace nimbus::cli
