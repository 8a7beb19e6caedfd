#include "drivers/ipmi/handshake.hpp"

#include <fmt/core.h>

#include "drivers/ipmi/message.hpp"

namespace nimbus::ipmi {
namespace {

constexpr unsigned kCapabilitiesSequence = 0;
constexpr std::uint8_t kNameOnlyLookup = 0x10;  // section 13.20: find the user by name, not by name and role

Request capabilities_request(IpmiPrivilege privilege) {
  // 0x0E: the channel that this is asked on; 0x80: also what IPMI 2.0 offers (section 22.13).
  return {.net_fn = NetFn::App,
          .command = 0x38,
          .data = {0x8E, privilege_number(privilege)},
          .name = "Get Channel Authentication Capabilities"};
}

std::string username_on_wire(const Login& login) {
  std::string name = login.username;
  if (login.quirks.padded_username) name.resize(kMaxUsernameBytes, '\0');
  return name;
}

}  // namespace

Nonce Nonce::make() {
  Nonce nonce;
  base::random_bytes(nonce.random);
  const std::uint64_t bits = base::random_u64();
  nonce.session = static_cast<std::uint32_t>(bits);
  if (nonce.session == 0) nonce.session = 1;
  nonce.tag = static_cast<std::uint8_t>(bits >> 32U);
  return nonce;
}

Handshake::Handshake(const Login& login, const Nonce& nonce) : login_(login), tag_(nonce.tag) {
  exchange_.suite = login.suite;
  exchange_.console_session = nonce.session;
  exchange_.console_random = nonce.random;
  exchange_.role = static_cast<std::uint8_t>(privilege_number(login.privilege) | kNameOnlyLookup);
  exchange_.username = username_on_wire(login);
  packet_ = encode_sessionless(encode_request(capabilities_request(login.privilege), kCapabilitiesSequence));
}

std::string_view Handshake::name_of(Step step) noexcept {
  switch (step) {
    case Step::Capabilities:
      return "Get Channel Authentication Capabilities";
    case Step::OpenSession:
      return "Open Session Request";
    case Step::Rakp1:
      return "RAKP message 1";
    case Step::Rakp3:
      return "RAKP message 3";
    case Step::Done:
    case Step::Failed:
      break;
  }
  return "";
}

Handshake::Event Handshake::advance(Step step, Packet packet) {
  step_ = step;
  packet_ = std::move(packet);
  return Event::Advanced;
}

Handshake::Event Handshake::fail(Code code, std::string message) {
  step_ = Step::Failed;
  failure_ = Error{code, std::move(message)};
  return Event::Failed;
}

Handshake::Event Handshake::refuse(std::uint8_t status) {
  Code code = Code::Corrupt;
  switch (SetupStatus{status}) {
    case SetupStatus::NoResources:
    case SetupStatus::NoResourcesAtRole:
      code = Code::Busy;
      break;
    case SetupStatus::BadAuthentication:
    case SetupStatus::BadIntegrity:
    case SetupStatus::BadConfidentiality:
    case SetupStatus::NoSuiteMatch:
      code = Code::Unsupported;
      break;
    case SetupStatus::InvalidRole:
    case SetupStatus::UnauthorizedRole:
    case SetupStatus::UnauthorizedName:
    case SetupStatus::BadIntegrityCheck:
      code = Code::Auth;
      break;
    case SetupStatus::Ok:
      break;
  }
  std::string message = fmt::format("the BMC refused the {}: {}", name_of(step_), text_of(status));
  if (code == Code::Unsupported) message += fmt::format(" (cipher suite {})", static_cast<int>(login_.suite));
  return fail(code, fmt::format("{} (status 0x{:02X})", message, status));
}

Handshake::Event Handshake::receive(Bytes packet) {
  const auto frame = parse_frame(packet, 0);
  if (!frame) return Event::Ignored;
  switch (step_) {
    case Step::Capabilities:
      return receive_capabilities(*frame);
    case Step::OpenSession:
      return receive_open_session(*frame);
    case Step::Rakp1:
      return receive_rakp2(*frame);
    case Step::Rakp3:
      return receive_rakp4(*frame);
    case Step::Done:
    case Step::Failed:
      break;
  }
  return Event::Ignored;
}

Handshake::Event Handshake::receive_capabilities(const Frame& frame) {
  if (frame.kind != Frame::Kind::Sessionless) return Event::Ignored;
  const auto request = capabilities_request(login_.privilege);
  const auto reply = parse_reply(frame.payload, login_.quirks.checksums);
  if (!reply || !answers(*reply, request, kCapabilitiesSequence)) return Event::Ignored;
  if (reply->completion == kNodeBusy) return fail(Code::Busy, "the BMC is busy");
  // Data: channel, types, status, extended capabilities. Bit 7 of the types says that
  // the last is there; bit 1 of it, that the channel speaks RMCP+; bit 5 of status, K_g.
  const bool extended = reply->data.size() >= 4 && (reply->data[1] & 0x80U) != 0;
  const bool speaks_rmcp_plus = extended && (reply->data[3] & 0x02U) != 0;
  if (!login_.quirks.ignore_capabilities && (reply->completion != kOk || !speaks_rmcp_plus)) {
    return fail(Code::Unsupported,
                "the BMC does not offer IPMI 2.0 sessions on this channel (quirk 'authcap' tries all the same)");
  }
  k_g_wanted_ = extended && (reply->data[2] & 0x20U) != 0;
  return advance(Step::OpenSession, encode_open_session(tag_, exchange_, login_.privilege));
}

Handshake::Event Handshake::receive_open_session(const Frame& frame) {
  if (frame.kind != Frame::Kind::Setup || frame.type != PayloadType::OpenSessionResponse) return Event::Ignored;
  const auto reply = parse_open_session(frame.payload);
  if (!reply || reply->tag != tag_) return Event::Ignored;
  if (reply->status != 0) return refuse(reply->status);
  if (reply->console_session != exchange_.console_session || reply->bmc_session == 0) return Event::Ignored;
  const auto wanted = algorithms_of(login_.suite);
  if (reply->algorithms != std::array{wanted.authentication, wanted.integrity, wanted.confidentiality}) {
    return fail(Code::Unsupported,
                fmt::format("the BMC chose other algorithms than cipher suite {}", static_cast<int>(login_.suite)));
  }
  exchange_.bmc_session = reply->bmc_session;
  return advance(Step::Rakp1, encode_rakp1(tag_, exchange_));
}

Handshake::Event Handshake::receive_rakp2(const Frame& frame) {
  if (frame.kind != Frame::Kind::Setup || frame.type != PayloadType::Rakp2) return Event::Ignored;
  const auto reply = parse_rakp2(frame.payload);
  if (!reply || reply->tag != tag_) return Event::Ignored;
  if (reply->status != 0) return refuse(reply->status);
  if (reply->console_session != exchange_.console_session) return Event::Ignored;
  exchange_.bmc_random = reply->bmc_random;
  exchange_.bmc_guid = reply->bmc_guid;
  if (!rakp2_code_matches(exchange_, login_.password, reply->code)) {
    // No RAKP 3 with an error status: the BMC would count it as a failed login.
    return fail(Code::Auth, "wrong password");
  }
  return advance(Step::Rakp3, encode_rakp3(tag_, exchange_, login_.password));
}

Handshake::Event Handshake::receive_rakp4(const Frame& frame) {
  if (frame.kind != Frame::Kind::Setup || frame.type != PayloadType::Rakp4) return Event::Ignored;
  const auto reply = parse_rakp4(frame.payload);
  if (!reply || reply->tag != tag_) return Event::Ignored;
  if (reply->status != 0) return refuse(reply->status);
  if (reply->console_session != exchange_.console_session) return Event::Ignored;
  keys_ = finish_exchange(exchange_, login_.password, login_.k_g, reply->code);
  if (!keys_) {
    return fail(Code::Auth, k_g_wanted_ && login_.k_g.empty()
                                ? "the BMC wants a K_g (BMC key) and the credential has none"
                                : "RAKP message 4 does not match: wrong K_g (BMC key)");
  }
  step_ = Step::Done;
  return Event::Done;
}

}  // namespace nimbus::ipmi
