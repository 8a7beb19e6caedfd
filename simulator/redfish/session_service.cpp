// SessionService (DSP0266, section 13.3.4).
#include <fmt/format.h>

#include "base/time/time.hpp"
#include "simulator/redfish/routes.hpp"

namespace nimbus::simulator::redfish {
namespace {

constexpr std::string_view kService = "/redfish/v1/SessionService";
constexpr std::string_view kSessions = "/redfish/v1/SessionService/Sessions";
constexpr std::size_t kEight = 8;
constexpr std::int64_t kLeastTimeout = 30;
constexpr std::int64_t kMostTimeout = 86'400;

std::optional<Json> session_service(Call& call) {
  if (!call.service.session_service_enabled) return std::nullopt;
  Json out = document(kService, "#SessionService.v1_1_8.SessionService", "SessionService", "Session Service");
  out.set("Status", status_ok());
  out.set("ServiceEnabled", true);
  out.set("SessionTimeout", call.service.sessions.timeout.count());
  out.set("Sessions", link(kSessions));
  return out;
}

Response set_timeout(Call& call) {
  for (const auto& [name, value] : call.body.members()) {
    if (name != "SessionTimeout") return call.refuse(400, "PropertyUnknown", {name}, name);
    const auto seconds = value.as_int();
    if (!seconds) return call.refuse(400, "PropertyValueTypeError", {value.text(), name}, name);
    if (*seconds < kLeastTimeout || *seconds > kMostTimeout)
      return call.refuse(400, "PropertyValueOutOfRange", {value.text(), name}, name);
    call.service.sessions.timeout = std::chrono::seconds(*seconds);
  }
  return with_document(call, session_service);
}

std::optional<Json> session_list(Call& call) {
  if (!call.service.session_service_enabled) return std::nullopt;
  call.service.sessions.expire(call.machine.now());
  std::vector<std::string> members;
  for (const auto& session : call.service.sessions.all())
    members.push_back(fmt::format("{}/{}", kSessions, session.id));
  return collection(kSessions, "#SessionCollection.SessionCollection", "Session Collection", members);
}

Json session_document(const Session& session) {
  Json out =
      document(fmt::format("{}/{}", kSessions, session.id), "#Session.v1_6_0.Session", session.id, "User Session");
  out.set("UserName", session.user);
  out.set("CreatedTime", base::to_rfc3339(session.created));
  out.set("SessionType", "Redfish");
  return out;
}

std::optional<Json> one_session(Call& call) {
  const Session* session = call.service.sessions.find(call.ids[0]);
  if (session == nullptr) return std::nullopt;
  return session_document(*session);
}

Response log_in(Call& call) {
  if (!call.service.session_service_enabled) return call.refuse(401, "NoValidSession");
  const auto user = call.body["UserName"].as_string();
  const auto password = call.body["Password"].as_string();
  if (!user) return call.refuse(400, "PropertyMissing", {"UserName"}, "UserName");
  if (!password) return call.refuse(400, "PropertyMissing", {"Password"}, "Password");
  const Account* account = call.machine.accounts.find(*user);
  if (account == nullptr || !(account->password == Secret(std::string(*password))))
    return call.refuse(401, "NoValidSession");
  const bool eight = call.quirks().has(Quirk::EightSessions);
  const Session* session =
      call.service.sessions.open(*account, call.machine.accounts.id_of(*account), call.machine.now(),
                                 call.machine.bmc_time(), eight ? kEight : Sessions::kMost);
  if (session == nullptr) return call.refuse(503, eight ? "IDRAC.2.8.RAC0218" : "SessionLimitExceeded");
  Response out{
      .status = 201,
      .headers = {{"Content-Type", "application/json"}, {"OData-Version", "4.0"}, {"X-Auth-Token", session->token}}};
  if (!call.quirks().has(Quirk::SessionWithoutLocation))
    out.headers.emplace_back("Location", fmt::format("{}/{}", kSessions, session->id));
  out.body = text_of(call.quirks(), session_document(*session));
  return out;
}

Response log_out(Call& call) {
  const Session* session = call.service.sessions.find(call.ids[0]);
  if (session == nullptr) return call.refuse(404, "ResourceMissingAtURI", {call.path});
  // Everybody may end his own session; another's takes an administrator.
  const auto* token = call.request.header("x-auth-token");
  const bool own = token != nullptr && *token == session->token;
  if (!own && call.privilege < Privilege::Administrator) return call.refuse(403, "InsufficientPrivilege");
  call.service.sessions.close(call.ids[0]);
  return no_content();
}

constexpr Route kRoutes[] = {
    {.pattern = "/redfish/v1/SessionService",
     .get = session_service,
     .patch = set_timeout,
     .write = Privilege::Administrator},
    {.pattern = "/redfish/v1/SessionService/Sessions", .get = session_list, .post = log_in, .write = Privilege::None},
    {.pattern = "/redfish/v1/SessionService/Sessions/Members", .post = log_in, .write = Privilege::None},
    {.pattern = "/redfish/v1/SessionService/Sessions/{}",
     .get = one_session,
     .remove = log_out,
     .write = Privilege::User},
};

}  // namespace

std::span<const Route> session_routes() noexcept { return kRoutes; }

}  // namespace nimbus::simulator::redfish
