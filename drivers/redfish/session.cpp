#include "drivers/redfish/session.hpp"

#include <algorithm>

#include "base/crypto/crypto.hpp"
#include "base/json/json.hpp"
#include "base/text/text.hpp"
#include "drivers/redfish/error_body.hpp"
#include "drivers/redfish/quirks.hpp"

namespace nimbus::redfish {
namespace {

constexpr std::string_view kRoot = "/redfish/v1/";
constexpr std::string_view kSessions = "/redfish/v1/SessionService/Sessions";
constexpr std::string_view kSystems = "/redfish/v1/Systems";
constexpr std::chrono::hours kRefusedFor{1};
constexpr unsigned kMostBrokenPromises = 3;
constexpr std::size_t kMostTokenBytes = 4096;
// A BMC that asks for more is asked again after this.
constexpr std::chrono::seconds kLongestWait{60};

Error refusal_of(const base::ClientResponse& response) { return refusal(response, parse_error_body(response.body)); }

std::string fingerprint(const Credential& credential) {
  base::Sha256 hash;
  hash.update(credential.username);
  hash.update(std::string_view("\0", 1));
  hash.update(credential.password.reveal());
  return hash.hex();
}

std::string path_context(std::string_view what, std::string_view target) {
  return "while " + std::string(what) + " " + base::printable(target, 200);
}

}  // namespace

Session::Session(BmcEndpoint endpoint, Origin origin, const Secrets& secrets, std::unique_ptr<base::HttpClient> http)
    : endpoint_(std::move(endpoint)), origin_(std::move(origin)), secrets_(secrets), http_(std::move(http)) {
  if (is_forced(endpoint_.quirks, Effect::BasicOnly)) sessions_ = Sessions::Absent;
}

Session::Answer Session::send(base::ClientRequest request, const Call& call) {
  request.headers.push_back({"OData-Version", "4.0"});
  request.headers.push_back({"Accept", "application/json"});
  if (!request.body.empty()) request.headers.push_back({"Content-Type", "application/json"});
  const auto now = std::chrono::steady_clock::now();
  if (now < not_before_) {
    const auto left = std::chrono::ceil<std::chrono::seconds>(not_before_ - now);
    return tl::unexpected(base::HttpFailure{
        {Code::Busy, "the BMC asked not to be asked for another " + std::to_string(left.count()) + " s"}, false});
  }
  auto answer = http_->send(request, call);
  if (!answer) return answer;
  if (answer->connection == connection_) {
    broken_promises_ = 0;
  } else {
    if (number_ != 0 && kept_) {
      ++number_;
      ++broken_promises_;
    }
    connection_ = answer->connection;
  }
  // Some BMCs say that they keep the connection and close it after each answer.
  kept_ = answer->kept && broken_promises_ < kMostBrokenPromises;
  if (answer->status == 429 || answer->status == 503) {
    if (const auto wait = retry_after(*answer))
      not_before_ = std::chrono::steady_clock::now() + std::min(*wait, kLongestWait);
  }
  return answer;
}

Result<ServiceRoot> Session::root(const Call& call) {
  if (root_) return *root_;
  auto answer = send({.target = std::string(kRoot)}, call);
  if (!answer) return std::move(answer.error().error).with("while reading the service root");
  // Some BMCs want a login even here; then the standard's own paths must do.
  if (answer->status == 401 || answer->status == 403) {
    root_ = std::make_shared<const ServiceRoot>(
        ServiceRoot{.systems = std::string(kSystems), .sessions = std::string(kSessions)});
    return *root_;
  }
  if (!is_success(answer->status)) return refusal_of(*answer).with("while reading the service root");
  const auto json = parse_document(answer->body);
  if (!json) return Error(json.error()).with("while reading the service root");
  auto root = read_service_root(*json);
  if (root.systems.empty()) root.systems = kSystems;
  if (root.sessions.empty() && !root.session_service.empty()) root.sessions = kSessions;
  root_ = std::make_shared<const ServiceRoot>(std::move(root));
  return *root_;
}

bool Session::was_refused(const Credential& credential) const {
  const auto print = fingerprint(credential);
  const auto now = std::chrono::steady_clock::now();
  return std::any_of(refused_.begin(), refused_.end(), [&](const Refused& refused) {
    return refused.fingerprint == print && now - refused.at < kRefusedFor;
  });
}

void Session::remember_refusal(const Credential& credential) {
  const auto print = fingerprint(credential);
  std::erase_if(refused_, [&](const Refused& refused) { return refused.fingerprint == print; });
  refused_.push_back({print, std::chrono::steady_clock::now()});
  if (refused_.size() > 16) refused_.erase(refused_.begin());
}

void Session::logged_in(Login how) {
  login_ = how;
  ++number_;
}

void Session::forget_login() {
  login_ = Login::None;
  authorization_ = Secret();
  session_target_.clear();
}

Result<> Session::login(const Call& call) {
  if (auto known = root(call); !known) return std::move(known.error());
  auto names = endpoint_.credentials;
  // The one that worked last comes first: each wrong one counts towards a lock-out.
  std::stable_partition(names.begin(), names.end(), [&](const std::string& name) { return name == worked_; });
  std::optional<Error> first;
  for (const auto& name : names) {
    auto credential = secrets_.credential(name, endpoint_.address);
    auto outcome = [&]() -> Result<> {
      if (!credential) {
        // Not the same as a resource that the BMC does not have.
        if (credential.error().code == Code::NotFound) credential.error().code = Code::Auth;
        return std::move(credential.error());
      }
      if (was_refused(*credential)) {
        return Error{Code::Auth,
                     "the BMC refused this user and password before; not sent again within an hour "
                     "unless they change, because accounts get locked"};
      }
      auto result = login_with(*credential, call);
      if (!result && result.error().code == Code::Auth) {
        remember_refusal(*credential);
        // In their own words many BMCs miss a session here, or a privilege.
        result.error().message = "the user or password was refused: " + result.error().message;
      }
      return result;
    }();
    if (outcome) {
      worked_ = name;
      return {};
    }
    const Code code = outcome.error().code;
    Error error =
        std::move(outcome.error()).with("while logging in with the secret '" + base::printable(name, 200) + "'");
    // Trouble with the BMC is not trouble with the credential: the next one would meet it too.
    if (code != Code::Auth && credential) return error;
    if (!first) first = std::move(error);
  }
  return first.value_or(Error{Code::Auth, "no credentials are named for this BMC"});
}

Result<> Session::login_with(const Credential& credential, const Call& call) {
  if (sessions_ != Sessions::Absent && !root_->sessions.empty()) {
    const auto done = login_by_token(credential, call);
    if (!done) return done.error();
    if (*done) return {};
  }
  return login_by_basic(credential, call);
}

/// False: no session, and Basic may be tried.
Result<bool> Session::login_by_token(const Credential& credential, const Call& call) {
  const auto target = origin_.target(root_->sessions);
  if (!target) return target.error();
  const auto body = base::Json::object({{"UserName", credential.username}, {"Password", credential.password.reveal()}});
  auto answer = send({.method = "POST", .target = *target, .body = body.text()}, call);
  if (!answer) return std::move(answer.error().error);
  if (!is_success(answer->status)) {
    // 401 may mean a wrong password or a BMC without sessions (sushy-tools); 400,
    // 404, 405 and 501 mean the latter. Anything else is trouble.
    static constexpr int kMaybeNoSessions[] = {400, 401, 403, 404, 405, 501};
    const bool maybe_none = std::find(std::begin(kMaybeNoSessions), std::end(kMaybeNoSessions), answer->status) !=
                            std::end(kMaybeNoSessions);
    if (sessions_ == Sessions::Untried && maybe_none) return false;
    return without_secret(refusal_of(*answer), credential.password);
  }
  const auto token = answer->header("X-Auth-Token").value_or("");
  if (token.empty() || token.size() > kMostTokenBytes)
    return Error{Code::Corrupt, "the BMC's new session has no token"};
  authorization_ = Secret(std::string(token));
  auto link = std::string(answer->header("Location").value_or(""));
  if (link.empty()) {
    if (const auto json = parse_document(answer->body)) link = read_own_link(*json);
  }
  const auto own = origin_.target(link);
  session_target_ = own ? *own : "";
  sessions_ = Sessions::Worked;
  logged_in(Login::Token);
  return true;
}

Result<> Session::login_by_basic(const Credential& credential, const Call& call) {
  if (credential.username.find(':') != std::string::npos)
    return Error{Code::Invalid, "a user name with ':' cannot be sent by Basic authentication"};
  const auto target = origin_.target(root_->systems);
  if (!target) return target.error();
  const Secret plain(credential.username + ":" + std::string(credential.password.reveal()));
  Secret header("Basic " + base::to_base64(base::as_bytes(plain.reveal())));
  auto answer = send({.target = *target, .headers = {{"Authorization", std::string(header.reveal())}}}, call);
  if (!answer) return std::move(answer.error().error);
  if (!is_success(answer->status)) return without_secret(refusal_of(*answer), credential.password);
  authorization_ = std::move(header);
  sessions_ = Sessions::Absent;
  logged_in(Login::Basic);
  return {};
}

Result<base::ClientResponse> Session::get(std::string_view link, const Call& call) {
  const auto target = origin_.target(link);
  if (!target) return target.error();
  for (int round = 0;; ++round) {
    const bool fresh = login_ == Login::None;
    if (fresh) {
      if (auto done = login(call); !done) return std::move(done.error());
    }
    base::ClientRequest request{.target = *target};
    request.headers.push_back(*login_header());
    auto answer = send(request, call);
    // HPE Gen10 Plus; the answer is not compressed either way.
    if (answer && answer->status == 406) {
      request.coding = base::Coding::Unsaid;
      answer = send(std::move(request), call);
    }
    if (!answer) return std::move(answer.error().error).with(path_context("reading", *target));
    if (is_success(answer->status)) return std::move(*answer);
    if (answer->status == 401 && !fresh && round == 0) {
      forget_login();
      continue;
    }
    return refusal_of(*answer).with(path_context("reading", *target));
  }
}

tl::expected<base::ClientResponse, base::HttpFailure> Session::write(Write what, const Call& call) {
  const auto target = origin_.target(what.link);
  if (!target) return tl::unexpected(base::HttpFailure{target.error(), false});
  if (login_ == Login::None)
    return tl::unexpected(base::HttpFailure{{Code::Conflict, "there is no session; nothing was sent"}, false});
  base::ClientRequest request{.method = std::move(what.method), .target = *target, .body = std::move(what.body)};
  if (!what.if_match.empty()) request.headers.push_back({"If-Match", std::move(what.if_match)});
  request.on = kept_ ? base::OnConnection::Present : base::OnConnection::Any;
  request.leave_by = call.write_by;
  request.headers.push_back(*login_header());
  auto answer = send(std::move(request), call);
  if (!answer) answer.error().error.with(path_context("writing to", *target));
  if (answer && answer->status == 401) {
    forget_login();
    return tl::unexpected(base::HttpFailure{{Code::Conflict, "the session had expired; the BMC did nothing"}, false});
  }
  return answer;
}

std::optional<base::HttpHeader> Session::login_header() const {
  if (login_ == Login::None) return std::nullopt;
  return base::HttpHeader{login_ == Login::Token ? "X-Auth-Token" : "Authorization",
                          std::string(authorization_.reveal())};
}

std::string Session::how() const {
  if (login_ == Login::None) return "";
  return login_ == Login::Token ? "session" : "basic";
}

void Session::drop() {
  forget_login();
  http_->drop_connection();
}

void Session::close(const Call& call) noexcept {
  try {
    if (login_ == Login::Token && !session_target_.empty()) {
      not_before_ = {};  // there is no later
      (void)send({.method = "DELETE",
                  .target = session_target_,
                  .headers = {{"X-Auth-Token", std::string(authorization_.reveal())}}},
                 call);
    }
  } catch (...) {
    // Out of memory: the session ends by the BMC's own timeout.
  }
  forget_login();
}

}  // namespace nimbus::redfish
