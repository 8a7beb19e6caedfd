#include "simulator/redfish/service.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/crypto/crypto.hpp"
#include "base/text/text.hpp"
#include "simulator/redfish/routes.hpp"

namespace nimbus::simulator::redfish {
namespace {

constexpr auto kDataSourcesStart = std::chrono::seconds(20);
constexpr std::size_t kMostDetail = 200;

std::string without_slash(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return std::string(path);
}

bool matches(std::string_view pattern, std::string_view path, bool ignore_case, std::vector<std::string_view>& ids) {
  ids.clear();
  while (true) {
    const auto p = pattern.find('/', 1);
    const auto q = path.find('/', 1);
    const auto wanted = pattern.substr(0, p);
    const auto found = path.substr(0, q);
    if (wanted == "/{}") {
      if (found.size() < 2) return false;
      ids.push_back(found.substr(1));
    } else if (ignore_case ? !base::equals_ignoring_case(wanted, found) : wanted != found) {
      return false;
    }
    if (p == std::string_view::npos || q == std::string_view::npos) return p == q;
    pattern.remove_prefix(p);
    path.remove_prefix(q);
  }
}

const Route* find_route(std::string_view path, bool ignore_case, std::vector<std::string_view>& ids) {
  for (const auto table : {system_routes(), root_routes(), session_routes(), media_routes(), boot_option_routes(),
                           firmware_routes(), component_routes(), chassis_routes(), manager_routes(), log_routes(),
                           task_routes(), update_routes(), event_routes(), volume_routes(), account_routes()}) {
    for (const auto& route : table) {
      if (matches(route.pattern, path, ignore_case, ids)) return &route;
    }
  }
  return nullptr;
}

bool is_public(const Request& request, std::string_view path) {
  if (request.method == "GET" || request.method == "HEAD") {
    return path == "/redfish" || path == "/redfish/v1" || path == "/redfish/v1/odata" ||
           path == "/redfish/v1/$metadata";
  }
  return request.method == "POST" &&
         (path == "/redfish/v1/SessionService/Sessions" || path == "/redfish/v1/SessionService/Sessions/Members");
}

std::string allow_of(const Route& route) {
  std::string out;
  const auto add = [&](std::string_view method) { out += (out.empty() ? "" : ", ") + std::string(method); };
  if (route.get != nullptr || route.look != nullptr) add("GET, HEAD");
  if (route.patch != nullptr) add("PATCH");
  if (route.post != nullptr) add("POST");
  if (route.remove != nullptr) add("DELETE");
  return out;
}

/// If-Match lists strong tags, or is a star (RFC 9110, 13.1.1).
bool lists_tag(std::string_view header, std::string_view tag) {
  for (const auto part : base::split(header, ',')) {
    const auto one = base::trim(part);
    if (one == "*" || one == tag) return true;
  }
  return false;
}

}  // namespace

Service::Service(Machine& machine) : machine_(&machine), restarts_(machine.bmc_restarts()) {
  const auto& profile = machine.profile == nullptr ? vendor_profiles().front() : *machine.profile;
  system = fmt::format("/redfish/v1/Systems/{}", profile.system_id);
  manager = fmt::format("/redfish/v1/Managers/{}", profile.manager_id);
  chassis = fmt::format("/redfish/v1/Chassis/{}", profile.chassis_id);
  session_service_enabled = !machine.quirks.has(Quirk::NoSessionService);
  if (machine.quirks.has(Quirk::ShortSessions)) sessions.timeout = std::chrono::seconds(30);
}

Task& Service::start_task(std::string name, std::chrono::milliseconds takes) {
  constexpr std::size_t kMostTasks = 100;
  if (tasks.size() >= kMostTasks) tasks.erase(tasks.begin());
  tasks.push_back({std::to_string(next_task++), std::move(name), machine_->now() + takes, machine_->bmc_time()});
  return tasks.back();
}

std::optional<Service::Who> Service::authenticate(const Request& request) {
  if (const auto* token = request.header("x-auth-token")) {
    const Session* session = sessions.use(*token, machine_->now());
    const Account* account = session == nullptr ? nullptr : machine_->accounts.slot(session->account);
    if (account == nullptr || !account->enabled) return std::nullopt;
    return Who{account->privilege, session->id};
  }
  const auto* header = request.header("authorization");
  if (header == nullptr || !header->starts_with("Basic ")) return std::nullopt;
  const auto decoded = base::from_base64(base::trim(std::string_view(*header).substr(6)));
  if (!decoded) return std::nullopt;
  const std::string_view pair(reinterpret_cast<const char*>(decoded->data()), decoded->size());
  const auto colon = pair.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const Account* account = machine_->accounts.find(pair.substr(0, colon));
  if (account == nullptr || !(account->password == Secret(std::string(pair.substr(colon + 1))))) return std::nullopt;
  return Who{account->privilege, ""};
}

std::optional<Response> Service::refuse_early(const Request& request) {
  const Quirks& quirks = machine_->quirks;
  const auto started = machine_->bmc_started();
  if (quirks.has(Quirk::DataSourcesUnavailable) && started && machine_->now() - *started < kDataSourcesStart) {
    return error(quirks, 503, "IDRAC.2.8.SYS518");
  }
  const auto* encoding = request.header("accept-encoding");
  if (quirks.has(Quirk::RefuseIdentityEncoding) && encoding != nullptr && *encoding == "identity" &&
      request.path.find("/Registries/") != std::string::npos) {
    return error(quirks, 406, "GeneralError");
  }
  for (const auto part : base::split(request.query, '&')) {
    if (part.starts_with('$')) return error(quirks, 501, "GeneralError");  // ProtocolFeaturesSupported says so
  }
  return std::nullopt;
}

/// The answer to a write that is not done.
std::optional<Response> Service::interfered(const Request& request, const Route& route, const Call& call) {
  const bool login = is_public(request, call.path);
  if (interference_.status) return call.refuse(*interference_.status, "GeneralError");
  if (login && interference_.no_sessions) return call.refuse(503, "SessionLimitExceeded");
  if (!interference_.lie || login) return std::nullopt;
  if (request.method == "PATCH" && route.get != nullptr) {
    Call same = call;
    return with_document(same, route.get);
  }
  return no_content();
}

Response Service::dispatch(const Request& request, const Who& who) {
  if (request.path == "/redfish/v1/$metadata" && (request.method == "GET" || request.method == "HEAD")) {
    return {
        .status = 200, .headers = {{"Content-Type", "application/xml"}, {"OData-Version", "4.0"}}, .body = metadata()};
  }
  Call call{*this, *machine_, request, without_slash(request.path)};
  call.privilege = who.privilege;
  if (call.path == kEventStream && request.method == "GET" && !interference_.status) return open_event_stream(call);
  const Route* route = find_route(call.path, machine_->quirks.has(Quirk::TrailingSlashes), call.ids);
  if (route == nullptr) return call.refuse(404, "ResourceMissingAtURI", {call.path});
  const bool reads = request.method == "GET" || request.method == "HEAD";
  const Doer doer = request.method == "PATCH"    ? route->patch
                    : request.method == "POST"   ? route->post
                    : request.method == "DELETE" ? route->remove
                                                 : nullptr;
  if (reads ? route->get == nullptr && route->look == nullptr : doer == nullptr) {
    Response out = call.refuse(405, "OperationNotAllowed");
    out.headers.emplace_back("Allow", allow_of(*route));
    return out;
  }
  if (reads) {
    if (interference_.status) return call.refuse(*interference_.status, "GeneralError");
    if (const auto known = stale_.find(call.path); interference_.stale && known != stale_.end()) return known->second;
    Response out = route->look != nullptr ? route->look(call) : with_document(call, route->get);
    constexpr std::size_t kMostStale = 200;
    if (interference_.stale && out.status == 200 && stale_.size() < kMostStale) stale_[call.path] = out;
    if (out.status == 200) out.headers.emplace_back("Allow", allow_of(*route));
    return out;
  }
  const bool login = is_public(request, call.path);
  if (!login && who.privilege < route->write) return call.refuse(403, "InsufficientPrivilege");
  if (!request.body.empty()) {
    auto body =
        base::parse_json(request.body, {.bytes = http::RequestParser::kMostBody, .depth = 32, .values = 20'000});
    if (!body) return call.refuse(400, "MalformedJSON");
    if (!body->is_object()) return call.refuse(400, "UnrecognizedRequestBody");
    call.body = std::move(*body);
  }
  if (auto answer = interfered(request, *route, call)) return std::move(*answer);
  const auto* if_match = request.header("if-match");
  if (request.method == "POST" && if_match != nullptr && machine_->quirks.has(Quirk::IfMatchRefusedOnActions)) {
    return call.refuse(400, "PreconditionFailed");
  }
  if (request.method == "PATCH" && route->get != nullptr) {
    const auto before = route->get(call);
    if (!before) return call.refuse(404, "ResourceMissingAtURI", {call.path});
    if (if_match == nullptr && machine_->quirks.has(Quirk::IfMatchRequired))
      return call.refuse(428, "PreconditionRequired");
    if (if_match != nullptr && machine_->quirks.has(Quirk::IfMatchRefused))
      return call.refuse(412, "PreconditionFailed");
    if (if_match != nullptr && !lists_tag(*if_match, etag_of(text_of(machine_->quirks, *before))))
      return call.refuse(412, "PreconditionFailed");
  }
  return doer(call);
}

void Service::finish(Response& response, const Request& request) {
  const Quirks& quirks = machine_->quirks;
  if (quirks.has(Quirk::CloseConnections)) response.after = Response::After::Close;
  if (response.status != 200 || response.body.empty() || response.stream) return;
  const std::string tag = etag_of(response.body);
  const auto* none_match = request.header("if-none-match");
  if ((request.method == "GET" || request.method == "HEAD") && none_match != nullptr && lists_tag(*none_match, tag)) {
    response.status = 304;
    response.body.clear();
  }
  if (request.method == "POST") return;
  response.headers.emplace_back("ETag", quirks.has(Quirk::EmptyEtag)         ? "\"\""
                                        : quirks.has(Quirk::WeakEtagRefused) ? "W/" + tag
                                                                             : tag);
}

Response Service::answer(const Request& request) {
  if (restarts_ != machine_->bmc_restarts()) {
    restarts_ = machine_->bmc_restarts();
    sessions.clear();
    tasks.clear();
  }
  const std::string path = without_slash(request.path);
  const auto who = authenticate(request);
  Response response;
  if (!who && !is_public(request, path)) {
    response = error(machine_->quirks, 401, "NoValidSession");
    response.headers.emplace_back("WWW-Authenticate", "Basic realm=\"Redfish\"");
  } else if (auto early = refuse_early(request)) {
    response = std::move(*early);
  } else {
    response = dispatch(request, who.value_or(Who{}));
  }
  // Bodies with passwords stay out of the journal.
  const bool secret = path.find("Session") != std::string::npos || path.find("Account") != std::string::npos ||
                      request.body.find("assword") != std::string::npos;
  machine_->record(Source::Redfish, request.method + " " + request.path,
                   secret ? std::string() : base::printable(request.body, kMostDetail),
                   std::to_string(response.status));
  finish(response, request);
  return response;
}

}  // namespace nimbus::simulator::redfish
