// Session setup: Open Session and RAKP 1 to 4 (IPMI 2.0, sections 13.17 to 13.24).
#include <algorithm>

#include <fmt/format.h>

#include "simulator/ipmi/responder.hpp"

namespace nimbus::simulator::ipmi {
namespace {

// Status codes (table 13-15).
constexpr std::uint8_t kOk = 0x00;
constexpr std::uint8_t kNoResources = 0x01;
constexpr std::uint8_t kInvalidSession = 0x02;
constexpr std::uint8_t kInactiveSession = 0x08;
constexpr std::uint8_t kInvalidRole = 0x09;
constexpr std::uint8_t kUnauthorizedRole = 0x0a;
constexpr std::uint8_t kInvalidNameLength = 0x0c;
constexpr std::uint8_t kUnauthorizedName = 0x0d;
constexpr std::uint8_t kInvalidIntegrityValue = 0x0f;
constexpr std::uint8_t kNoSuiteMatch = 0x11;
constexpr std::uint8_t kIllegalParameter = 0x12;

constexpr std::size_t kFewSlots = 3;
constexpr std::uint8_t kHighestPrivilege = 4;

/// One algorithm proposal of 8 bytes (table 13-9): type, length, algorithm. A length of
/// zero lets the BMC choose.
struct Proposal {
  bool any = false;
  std::uint8_t algorithm = 0;
};
std::optional<Proposal> read_proposal(Bytes request, std::size_t at, std::uint8_t type) {
  if (request[at] != type) return std::nullopt;
  if (request[at + 3] == 0) return Proposal{true, 0};
  if (request[at + 3] != 8) return std::nullopt;
  return Proposal{false, static_cast<std::uint8_t>(request[at + 4] & 0x3f)};
}

const CipherSuite* choose_suite(const Proposal& auth, const Proposal& integrity, const Proposal& confidentiality,
                                bool suite17) {
  for (const CipherSuite* suite : {&kSuite17, &kSuite3}) {
    if (suite == &kSuite17 && !suite17) continue;
    if ((auth.any || auth.algorithm == suite->authentication) &&
        (integrity.any || integrity.algorithm == suite->integrity) &&
        (confidentiality.any || confidentiality.algorithm == suite->confidentiality)) {
      return suite;
    }
  }
  return nullptr;
}

Buffer refuse(std::uint8_t tag, std::uint8_t status, std::uint32_t console_session, const Quirks& quirks) {
  if (quirks.has(Quirk::ShortRefusals)) return {tag, status};
  Buffer out{tag, status, 0, 0};
  put32(out, console_session);
  return out;
}

Bytes key_of(const Account& account) { return base::as_bytes(account.password.reveal()); }

}  // namespace

Buffer Responder::open_session(Bytes request, const base::SocketAddress& from) {
  if (request.size() < 32) return {};
  const std::uint8_t tag = request[0];
  const std::uint32_t console = get32(request, 4);
  const auto auth = read_proposal(request, 8, 0x00);
  const auto integrity = read_proposal(request, 16, 0x01);
  const auto confidentiality = read_proposal(request, 24, 0x02);
  const auto fail = [&](std::uint8_t status) {
    machine_->record(Source::Ipmi, "open-session", from.text(), fmt::format("{:#04x}", status));
    return refuse(tag, status, console, machine_->quirks);
  };
  if (!auth || !integrity || !confidentiality || console == 0) return fail(kIllegalParameter);
  const auto* suite = choose_suite(*auth, *integrity, *confidentiality, !machine_->quirks.has(Quirk::NoSuite17));
  if (suite == nullptr) return fail(kNoSuiteMatch);
  const std::uint8_t wanted = request[1] & 0x0f;
  if (wanted > kHighestPrivilege) return fail(kInvalidRole);
  if (interference_.no_sessions) return fail(kNoResources);
  Session* session =
      sessions_.open(machine_->now(), machine_->quirks.has(Quirk::ThreeSessions) ? kFewSlots : Sessions::kSlots);
  if (session == nullptr) return fail(kNoResources);
  session->peer = from;
  session->suite = suite;
  session->handshake.console_session = console;
  session->handshake.guid = machine_->identity.bmc_guid;
  session->highest = static_cast<Privilege>(wanted == 0 ? kHighestPrivilege : wanted);

  const bool echo_zero = wanted == 0 && machine_->quirks.has(Quirk::GrantsPrivilegeZero);
  Buffer out{tag, kOk, echo_zero ? std::uint8_t{0} : static_cast<std::uint8_t>(session->highest), 0};
  put32(out, console);
  put32(out, session->handshake.bmc_session);
  out.insert(out.end(), {0x00, 0, 0, 8, suite->authentication, 0, 0, 0});
  out.insert(out.end(), {0x01, 0, 0, 8, suite->integrity, 0, 0, 0});
  out.insert(out.end(), {0x02, 0, 0, 8, suite->confidentiality, 0, 0, 0});
  return out;
}

Buffer Responder::challenge(Session& session, std::uint8_t tag) {
  const Account* account = machine_->accounts.slot(session.account);
  if (account == nullptr) return {};
  Buffer out{tag, kOk, 0, 0};
  put32(out, session.handshake.console_session);
  out.insert(out.end(), session.handshake.bmc_random.begin(), session.handshake.bmc_random.end());
  out.insert(out.end(), session.handshake.guid.begin(), session.handshake.guid.end());
  const Buffer code = rakp2_code(*session.suite, session.handshake, key_of(*account));
  out.insert(out.end(), code.begin(), code.end());
  return out;
}

Buffer Responder::rakp1(Bytes request) {
  if (request.size() < 28) return {};
  const std::uint8_t tag = request[0];
  const std::uint32_t id = get32(request, 4);
  Session* session = sessions_.find(id);
  if (session == nullptr) return refuse(tag, kInvalidSession, 0, machine_->quirks);
  const auto fail = [&](std::uint8_t status) {
    const auto console = session->handshake.console_session;
    machine_->record(Source::Ipmi, "login", session->peer.text(), fmt::format("{:#04x}", status));
    sessions_.close(id);
    return refuse(tag, status, console, machine_->quirks);
  };
  const std::size_t name_size = request[27];
  if (name_size > Accounts::kMaxName || request.size() < 28 + name_size) return fail(kInvalidNameLength);
  const bool padded = machine_->quirks.has(Quirk::PaddedUserNames);
  if (padded && name_size != Accounts::kMaxName) return fail(kUnauthorizedName);
  const std::string name(reinterpret_cast<const char*>(request.data()) + 28, name_size);
  auto& handshake = session->handshake;
  if (session->stage == Session::Stage::Challenged) {
    // The same message again: its answer was lost. Another one may not change what was agreed.
    const bool same =
        std::equal(handshake.console_random.begin(), handshake.console_random.end(), request.begin() + 8) &&
        handshake.role == request[24] && handshake.user == name;
    return same ? challenge(*session, tag) : Buffer{};
  }
  if (session->stage != Session::Stage::Opened) return {};
  const Account* account = machine_->accounts.find(padded ? name.substr(0, name.find('\0')) : name);
  if (account == nullptr) return fail(kUnauthorizedName);
  const std::uint8_t wanted = request[24] & 0x0f;
  if (wanted > kHighestPrivilege) return fail(kInvalidRole);
  if (wanted > static_cast<std::uint8_t>(session->highest)) return fail(kUnauthorizedRole);
  if (wanted > static_cast<std::uint8_t>(account->privilege)) return fail(kUnauthorizedRole);
  session->highest = std::min(account->privilege, wanted == 0 ? session->highest : static_cast<Privilege>(wanted));
  session->account = machine_->accounts.id_of(*account);
  std::copy_n(request.begin() + 8, 16, handshake.console_random.begin());
  base::random_bytes(handshake.bmc_random);
  handshake.role = request[24];
  handshake.user = name;
  session->stage = Session::Stage::Challenged;
  return challenge(*session, tag);
}

Buffer Responder::rakp3(Bytes request) {
  if (request.size() < 8) return {};
  const std::uint8_t tag = request[0];
  const std::uint32_t id = get32(request, 4);
  Session* session = sessions_.find(id);
  if (session == nullptr) return refuse(tag, kInvalidSession, 0, machine_->quirks);
  const std::uint32_t console = session->handshake.console_session;
  if (session->stage == Session::Stage::Opened) return refuse(tag, kInactiveSession, console, machine_->quirks);
  if (request[1] != kOk) {  // the console gives up
    sessions_.close(id);
    return {};
  }
  const Account* account = machine_->accounts.slot(session->account);
  const bool good =
      account != nullptr &&
      base::equal_constant_time(rakp3_code(*session->suite, session->handshake, key_of(*account)), request.subspan(8));
  if (!good) {
    machine_->record(Source::Ipmi, "login", session->handshake.user, fmt::format("{:#04x}", kInvalidIntegrityValue));
    sessions_.close(id);
    return refuse(tag, kInvalidIntegrityValue, console, machine_->quirks);
  }
  const Buffer sik = session_integrity_key(*session->suite, session->handshake, key_of(*account));
  if (session->stage == Session::Stage::Challenged) {
    session->keys.emplace(*session->suite, sik);
    session->stage = Session::Stage::Active;
    session->privilege = std::min(session->highest, Privilege::User);
    machine_->record(Source::Ipmi, "login", fmt::format("{} suite {}", session->handshake.user, session->suite->id));
  }
  Buffer out{tag, kOk, 0, 0};
  put32(out, console);
  const Buffer code = rakp4_code(*session->suite, session->handshake, sik);
  out.insert(out.end(), code.begin(), code.end());
  if (machine_->quirks.has(Quirk::IntegrityValueTooLong)) out.insert(out.end(), 4, 0x55);
  return out;
}

}  // namespace nimbus::simulator::ipmi
