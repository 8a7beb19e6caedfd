// Client: one BMC as seen by the thread that waits for it: logs in, asks, tells.
//
// Credentials are tried in the order of the endpoint, the one that worked last
// first. One that was refused is not sent again for a while (longer each time), nor
// before its secret changes: so that no account is locked out. Passwords are asked
// from Secrets for each login and kept by nobody after it.
//
// A BMC that said nothing to kSilentOpeningsOfDead openings in succession counts as dead:
// until it answers again each question costs its caller less than a second.
//
// Thread rule: one operation at a time, from any thread; session() from any.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/net/socket_address.hpp"
#include "core/call.hpp"
#include "core/endpoint.hpp"
#include "core/ports/bmc.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/secrets.hpp"
#include "core/result.hpp"
#include "drivers/ipmi/engine.hpp"

namespace nimbus::ipmi {

inline constexpr int kSilentOpeningsOfDead = 2;
inline constexpr std::uint16_t kDefaultPort = 623;  // RMCP, IANA "asf-rmcp"

/// A reply that never came is not the same as a refusal: the effect is unknown.
inline bool effect_unknown(const Error& error) noexcept {
  return error.code == Code::Timeout || error.code == Code::Cancelled;
}

/// Checked settings of one BMC.
struct Target {
  base::HostPort address;
  std::string destination;  // the address as in the registry: what secrets are bound to
  CipherSuite suite = CipherSuite::Suite17;
  IpmiPrivilege privilege = IpmiPrivilege::Operator;
  std::vector<std::string> credentials;
  Quirks quirks;
  std::vector<std::string> quirk_ids;  // that `quirks` was made of
};
/// Errors: Invalid (address, cipher suite, quirk, no credential).
Result<Target> make_target(const BmcEndpoint& endpoint);

class Client {
 public:
  /// All three must outlive the client.
  Client(Engine& engine, const Clock& clock, const Secrets& secrets, Target target);

  /// Another client of the same BMC, without a session; knows which credentials were
  /// refused.
  std::unique_ptr<Client> another() const;
  /// Opens a session now.
  Result<> connect(const Call& call) { return login(call); }
  const std::shared_ptr<Link>& link() const noexcept { return link_; }

  /// A question: opens a session if there is none, opens it again if it was lost, and
  /// repeats. A completion code other than 0 is part of the reply.
  Result<Reply> ask(const Request& request, const Call& call);
  /// As ask(); a completion code other than 0 is an error.
  Result<std::vector<std::uint8_t>> ask_data(const Request& request, const Call& call);

  /// A write: on the present session and before `call.write_by`, or not at all. Errors:
  /// Conflict (no session, or too late; nothing was sent), Unreachable (nobody received it), Timeout (unknown effect).
  Result<Reply> tell(Request request, Repeat repeat, const Call& call);
  /// A question on the present session or not at all; errors as of tell().
  Result<Reply> ask_present(const Request& request, const Call& call);

  /// What the registry forces, and what was learnt.
  const Quirks& quirks() const noexcept { return quirks_; }
  /// The BMC's maker, once known in the present session.
  bool knows_maker() const noexcept { return maker_known_in_ == session(); }
  void learn_maker(std::uint32_t manufacturer) noexcept;

  /// As Bmc::traits, all but product and firmware.
  BmcTraits traits() const;

  /// Changes with each login; 0 before the first.
  unsigned long session() const noexcept { return session_.load(std::memory_order_acquire); }
  void close(const Call& call);
  /// The BMC lost the session: nothing is sent, the next question opens another.
  void forget_session(const Call& call);

 private:
  /// A credential that was refused, without keeping it.
  struct Refused {
    std::vector<std::uint8_t> fingerprint;
    MonoTime until{};
    std::chrono::seconds pause{0};
    Error error{Code::Auth, ""};  // said again while it rests, in the same words: status compares them
  };

  Result<> login(const Call& call);
  /// With cipher suite 17, and with 3 if the BMC does not offer it.
  Result<> open_session(Login login, const base::SocketAddress& peer, const Call& call);
  Result<> try_credential(const std::string& name, const base::SocketAddress& peer, const Call& call);
  std::vector<std::string> names_in_order() const;
  std::vector<std::uint8_t> fingerprint(const Credential& credential) const;
  void remember_refusal(const std::string& name, std::vector<std::uint8_t> fingerprint, const Error& error);

  Engine& engine_;
  const Clock& clock_;
  const Secrets& secrets_;
  const Target target_;
  Quirks quirks_;
  std::uint32_t maker_ = 0;           // IANA enterprise number
  unsigned long maker_known_in_ = 0;  // session
  std::shared_ptr<Link> link_;
  std::atomic<unsigned long> session_ = 0;
  int silent_openings_ = 0;  // in succession
  CipherSuite suite_;        // that worked last
  std::string worked_last_;  // name of a credential
  std::map<std::string, Refused> refused_;
  std::vector<std::uint8_t> fingerprint_key_;
};

}  // namespace nimbus::ipmi
