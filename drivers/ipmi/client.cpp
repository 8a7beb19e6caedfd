#include "drivers/ipmi/client.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "base/text/text.hpp"

namespace nimbus::ipmi {
namespace {

constexpr std::chrono::seconds kFirstPause{30};
constexpr std::chrono::seconds kLongestPause{900};

Result<> check_credential(const Credential& credential) {
  const auto invalid = [&](std::string_view what) {
    return Error{Code::Invalid, fmt::format("secret '{}': {}", credential.name, what)};
  };
  if (credential.username.size() > kMaxUsernameBytes) return invalid("IPMI user names have at most 16 bytes");
  if (credential.password.reveal().size() > kMaxPasswordBytes) return invalid("IPMI passwords have at most 20 bytes");
  if (credential.k_g.reveal().size() > kMaxPasswordBytes) return invalid("an IPMI BMC key has at most 20 bytes");
  return {};
}

}  // namespace

Result<Target> make_target(const BmcEndpoint& endpoint) {
  auto address = base::parse_host_port(endpoint.address, kDefaultPort);
  if (!address) return std::move(address.error()).with("in the BMC's address");
  if (endpoint.cipher_suite != 3 && endpoint.cipher_suite != 17) {
    return Error{Code::Invalid, fmt::format("IPMI cipher suite {} is not supported: 17, or 3 for older BMCs "
                                            "(the others do not authenticate or do not encrypt)",
                                            endpoint.cipher_suite)};
  }
  if (endpoint.credentials.empty()) return Error{Code::Invalid, "an IPMI BMC needs a credential"};
  auto quirks = make_quirks(endpoint.quirks);
  if (!quirks) return std::move(quirks.error());
  return Target{.address = std::move(*address),
                .destination = endpoint.address,
                .suite = static_cast<CipherSuite>(endpoint.cipher_suite),
                .privilege = endpoint.privilege,
                .credentials = endpoint.credentials,
                .quirks = *quirks,
                .quirk_ids = endpoint.quirks};
}

Client::Client(Engine& engine, const Clock& clock, const Secrets& secrets, Target target)
    : engine_(engine),
      clock_(clock),
      secrets_(secrets),
      target_(std::move(target)),
      quirks_(target_.quirks),
      link_(engine.make_link()),
      suite_(target_.suite),
      fingerprint_key_(32) {
  base::random_bytes(fingerprint_key_);
}

std::unique_ptr<Client> Client::another() const {
  auto other = std::make_unique<Client>(engine_, clock_, secrets_, target_);
  other->worked_last_ = worked_last_;
  other->refused_ = refused_;
  other->fingerprint_key_ = fingerprint_key_;
  return other;
}

Result<Reply> Client::ask(const Request& request, const Call& call) {
  auto reply = engine_.send(link_, request, Repeat::WhileUnanswered, call);
  if (reply) return reply;
  // Conflict: there was no session. Otherwise one that was silent may be gone for good,
  // and a new one answers; one more try, while there is time.
  const Code code = reply.error().code;
  const bool may_help = code == Code::Conflict || code == Code::Timeout || code == Code::Unreachable;
  if (!may_help) return reply;
  if (clock_.now() >= call.deadline) {
    if (code == Code::Conflict) return Error{Code::Timeout, "the deadline passed before a session could be opened"};
    return reply;
  }
  if (auto opened = login(call); !opened) return std::move(opened.error());
  return engine_.send(link_, request, Repeat::WhileUnanswered, call);
}

Result<std::vector<std::uint8_t>> Client::ask_data(const Request& request, const Call& call) {
  auto reply = ask(request, call);
  if (!reply) return std::move(reply.error());
  if (reply->completion != kOk) return completion_error(request, reply->completion);
  return std::move(reply->data);
}

Result<Reply> Client::tell(Request request, Repeat repeat, const Call& call) {
  request.leave_by = call.write_by;
  return engine_.send(link_, std::move(request), repeat, call);
}

Result<Reply> Client::ask_present(const Request& request, const Call& call) {
  return engine_.send(link_, request, Repeat::WhileUnanswered, call);
}

void Client::learn_maker(std::uint32_t manufacturer) noexcept {
  maker_ = manufacturer;
  quirks_ = target_.quirks;  // behind a new session there may be another BMC
  add_quirks_of_maker(quirks_, manufacturer);
  maker_known_in_ = session();
}

BmcTraits Client::traits() const {
  BmcTraits out{.vendor = maker_ == 0 ? "" : maker_name(maker_),
                .product = {},
                .firmware = {},
                .login = session() == 0 ? "" : fmt::format("suite {}", static_cast<int>(suite_)),
                .credential = worked_last_,
                .quirks = {}};
  for (const auto& quirk : quirk_table()) {
    const bool forced =
        std::find(target_.quirk_ids.begin(), target_.quirk_ids.end(), quirk.id) != target_.quirk_ids.end();
    const bool known = maker_ != 0 && quirk.manufacturer == maker_;
    const bool learnt = quirk.id == kWeakerSuiteQuirk && suite_ != target_.suite;
    if (!forced && !known && !learnt) continue;
    out.quirks.push_back({.id = std::string(quirk.id),
                          .why = forced   ? "forced"
                                 : learnt ? "learnt"
                                          : "known of this BMC",
                          .evidence = std::string(quirk.evidence)});
  }
  return out;
}

void Client::close(const Call& call) { (void)engine_.close(link_, call).has_value(); }

void Client::forget_session(const Call& call) { (void)engine_.forget(link_, call).has_value(); }

std::vector<std::string> Client::names_in_order() const {
  auto names = target_.credentials;
  std::stable_partition(names.begin(), names.end(), [this](const auto& name) { return name == worked_last_; });
  return names;
}

Result<> Client::login(const Call& call) {
  const auto peers = engine_.resolver().resolve(target_.address, call);
  if (!peers) return peers.error();
  std::optional<Error> problem;
  for (const auto& name : names_in_order()) {
    auto opened = try_credential(name, peers->front(), call);
    if (opened) {
      worked_last_ = name;
      refused_.erase(name);
      session_.fetch_add(1, std::memory_order_acq_rel);
      return {};
    }
    auto& error = opened.error();
    // Another credential helps only against a refusal, or where this one is not to be had.
    const bool next = error.code == Code::Auth || error.code == Code::Untrusted || error.code == Code::Invalid;
    if (!next) return std::move(error);
    if (!problem) problem = std::move(error);
  }
  return std::move(*problem);
}

Result<> Client::try_credential(const std::string& name, const base::SocketAddress& peer, const Call& call) {
  auto credential = secrets_.credential(name, target_.destination);
  if (!credential) {
    // Not the same as something that the BMC does not have.
    if (credential.error().code == Code::NotFound) credential.error().code = Code::Auth;
    return std::move(credential.error());
  }
  if (auto checked = check_credential(*credential); !checked) return checked;
  auto print = fingerprint(*credential);
  if (const auto known = refused_.find(name); known != refused_.end() && known->second.fingerprint == print) {
    if (clock_.now() < known->second.until) return known->second.error;
  }
  Login login{.suite = suite_,
              .privilege = target_.privilege,
              .username = std::move(credential->username),
              .password = std::move(credential->password),
              .k_g = std::move(credential->k_g),
              .quirks = target_.quirks,
              .patience = silent_openings_ >= kSilentOpeningsOfDead ? Patience::Short : Patience::Usual};
  auto opened = open_session(std::move(login), peer, call);
  const bool silent = !opened && (opened.error().code == Code::Timeout || opened.error().code == Code::Unreachable);
  silent_openings_ = silent ? silent_openings_ + 1 : 0;
  if (!opened && opened.error().code == Code::Auth) {
    auto error =
        std::move(opened.error())
            .with(fmt::format(
                "with credential '{}', which rests for a while now, so that the account is not locked out", name));
    remember_refusal(name, std::move(print), error);
    return error;
  }
  return opened;
}

Result<> Client::open_session(Login login, const base::SocketAddress& peer, const Call& call) {
  auto opened = engine_.open(link_, login, peer, call);
  // A suite that the registry sets to 3 is the only one; so it is never the weaker one by accident.
  if (opened || opened.error().code != Code::Unsupported || target_.suite != CipherSuite::Suite17) return opened;
  login.suite = login.suite == CipherSuite::Suite17 ? CipherSuite::Suite3 : CipherSuite::Suite17;
  const auto other = login.suite;
  auto again = engine_.open(link_, std::move(login), peer, call);
  if (again) suite_ = other;
  if (!again && again.error().code == Code::Unsupported) return opened;
  return again;
}

std::vector<std::uint8_t> Client::fingerprint(const Credential& credential) const {
  const std::array<std::uint8_t, 1> end{};
  return base::hmac(base::Hash::Sha256, fingerprint_key_,
                    {base::as_bytes(credential.username), end, base::as_bytes(credential.password.reveal()), end,
                     base::as_bytes(credential.k_g.reveal())});
}

void Client::remember_refusal(const std::string& name, std::vector<std::uint8_t> fingerprint, const Error& error) {
  auto& entry = refused_[name];
  const bool again = entry.fingerprint == fingerprint;
  entry.pause = again ? std::min(entry.pause * 2, kLongestPause) : kFirstPause;
  entry.until = clock_.now() + entry.pause;
  entry.fingerprint = std::move(fingerprint);
  entry.error = error;
}

}  // namespace nimbus::ipmi
