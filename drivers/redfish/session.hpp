// Session: one BMC's HTTP connection with a login on it.
//
// Logs in when first needed: a Redfish session (DSP0266, 13.3.4) if the BMC offers
// them, else Basic authentication, which is tried only while a session has never
// worked: a BMC that had sessions and refuses one now is not asked for less.
// Credentials are tried in order. One that was refused is not sent again until it
// changes or an hour has passed, because BMCs lock accounts after a few tries.
//
// A BMC that answers 429 or 503 and names a time (Retry-After) is left alone until then,
// for a minute at most: Busy, and nothing is sent.
//
// Thread rule: one thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/http/client.hpp"
#include "core/endpoint.hpp"
#include "core/ports/secrets.hpp"
#include "drivers/redfish/documents.hpp"
#include "drivers/redfish/origin.hpp"

namespace nimbus::redfish {

class Session {
 public:
  /// `secrets` must outlive the session. Sends nothing yet.
  Session(BmcEndpoint endpoint, Origin origin, const Secrets& secrets, std::unique_ptr<base::HttpClient> http);

  /// Reads a resource, logged in; logs in again once if the BMC says that it has to.
  /// `link` as the BMC gave it. Only answers 2xx come back as a value. Errors: as
  /// core/ports/bmc.hpp, NotFound.
  Result<base::ClientResponse> get(std::string_view link, const Call& call);

  /// Sends a write once, on the present login, and on the present connection if the
  /// BMC keeps connections. Any status comes back as a value, except 401, which means
  /// that nothing was done: Conflict. `sent` of a failure: the effect is unknown.
  struct Write {
    std::string method = "POST";
    std::string link;
    std::string body;
    std::string if_match = {};  // ETag; empty: unconditional
  };
  tl::expected<base::ClientResponse, base::HttpFailure> write(Write what, const Call& call);

  /// Read without login, once. Errors: as get().
  Result<ServiceRoot> root(const Call& call);
  /// As root() read it; null: not yet.
  const std::shared_ptr<const ServiceRoot>& known_root() const noexcept { return root_; }
  /// What a link of the BMC is asked for by. Errors: Corrupt (not of this origin).
  Result<std::string> target(std::string_view link) const { return origin_.target(link); }
  /// As the next request logs in; nothing: there is no login.
  std::optional<base::HttpHeader> login_header() const;

  /// Changes with each login and each connection that had to be made anew although
  /// the BMC had promised to keep the last one. 0: never logged in.
  unsigned long number() const noexcept { return number_; }
  /// Whether the BMC keeps connections between answers.
  bool keeps_connection() const noexcept { return kept_; }
  /// "session", "basic" or "".
  std::string how() const;
  /// Name of the credential that worked last; empty: none yet.
  const std::string& credential() const noexcept { return worked_; }
  bool is_open() const noexcept { return login_ != Login::None; }

  /// The next operation connects and logs in anew; nothing is sent.
  void drop();
  /// root() asks the BMC again: it is another one, or has other firmware.
  void forget_root() noexcept { root_.reset(); }
  /// Deletes the session at the BMC, if there is one.
  void close(const Call& call) noexcept;

 private:
  enum class Login : std::uint8_t { None, Token, Basic };
  enum class Sessions : std::uint8_t { Untried, Worked, Absent };
  struct Refused {
    std::string fingerprint;  // of user and password
    MonoTime at;
  };
  using Answer = tl::expected<base::ClientResponse, base::HttpFailure>;

  Answer send(base::ClientRequest request, const Call& call);
  Result<> login(const Call& call);
  Result<> login_with(const Credential& credential, const Call& call);
  Result<bool> login_by_token(const Credential& credential, const Call& call);
  Result<> login_by_basic(const Credential& credential, const Call& call);
  void logged_in(Login how);
  void forget_login();
  bool was_refused(const Credential& credential) const;
  void remember_refusal(const Credential& credential);

  const BmcEndpoint endpoint_;
  const Origin origin_;
  const Secrets& secrets_;
  std::unique_ptr<base::HttpClient> http_;
  std::shared_ptr<const ServiceRoot> root_;
  Login login_ = Login::None;
  Sessions sessions_ = Sessions::Untried;
  Secret authorization_;  // token, or user and password for Basic
  std::string session_target_;
  std::string worked_;  // name of the credential of the last login
  std::vector<Refused> refused_;
  unsigned long number_ = 0;
  unsigned long connection_ = 0;
  MonoTime not_before_{};         // by the BMC's Retry-After
  unsigned broken_promises_ = 0;  // connections in a row that were lost although promised
  bool kept_ = false;
};

}  // namespace nimbus::redfish
