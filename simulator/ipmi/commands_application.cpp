// Application commands (IPMI 2.0, sections 20 to 22 and 24), without users.
#include <algorithm>

#include "simulator/ipmi/commands.hpp"

namespace nimbus::simulator::ipmi {
namespace {

constexpr std::uint8_t kNetFn = 0x06;
constexpr std::uint8_t kLanChannel = 1;
constexpr std::uint8_t kThisChannel = 0x0e;

bool is_lan_channel(std::uint8_t channel) {
  return (channel & 0x0f) == kLanChannel || (channel & 0x0f) == kThisChannel;
}

std::uint8_t device_id(Exchange& x) {
  const auto& hardware = x.machine.hardware();
  unsigned major = 0;
  unsigned minor = 0;
  const auto dot = x.machine.bmc_version.find('.');
  for (const char c : std::string_view(x.machine.bmc_version).substr(0, dot)) {
    if (c >= '0' && c <= '9') major = major * 10 + static_cast<unsigned>(c - '0');
  }
  if (dot != std::string::npos) {
    for (const char c : std::string_view(x.machine.bmc_version).substr(dot + 1, 2)) {
      if (c >= '0' && c <= '9') minor = minor * 16 + static_cast<unsigned>(c - '0');  // BCD
    }
  }
  x.reply = {0x20, 0x01, static_cast<std::uint8_t>(major & 0x7f), static_cast<std::uint8_t>(minor),
             0x02,   // IPMI 2.0
             0x9f};  // chassis, SEL, SDR repository, sensors, FRU, event generator
  const std::uint32_t maker = x.machine.profile == nullptr ? 0 : x.machine.profile->enterprise;
  x.reply.insert(x.reply.end(), {static_cast<std::uint8_t>(maker), static_cast<std::uint8_t>(maker >> 8),
                                 static_cast<std::uint8_t>(maker >> 16)});
  put16(x.reply, hardware.bmc_product_id);
  put32(x.reply, 0);
  return kOk;
}

std::uint8_t cold_reset(Exchange& x) {
  x.silent = x.machine.quirks.has(Quirk::ResetsBeforeAnswering);
  x.machine.restart_bmc(Source::Ipmi);
  return kOk;
}

std::uint8_t warm_reset(Exchange& x) {
  x.machine.restart_bmc(Source::Ipmi, std::chrono::seconds(2));
  return kOk;
}

std::uint8_t self_test(Exchange& x) {
  x.reply = {0x55, 0x00};  // no error
  return kOk;
}

std::uint8_t guid(Exchange& x) {
  x.reply.assign(x.machine.identity.bmc_guid.begin(), x.machine.identity.bmc_guid.end());
  return kOk;
}

std::uint8_t watchdog(Exchange& x) {
  x.reply = {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00};  // stopped, never expired
  return kOk;
}

std::uint8_t channel_authentication(Exchange& x) {
  if (!is_lan_channel(x.request[0])) return kInvalidField;
  const bool extended = (x.request[0] & 0x80) != 0;
  const bool denies = x.machine.quirks.has(Quirk::DeniesIpmi20);
  x.reply = {kLanChannel,
             static_cast<std::uint8_t>(extended ? 0x80 : 0x00),
             0x04,                                                                 // named users only, K_g is zero
             static_cast<std::uint8_t>(extended ? (denies ? 0x01 : 0x02) : 0x00),  // IPMI 1.5 | 2.0
             0,
             0,
             0,
             0};
  return kOk;
}

std::uint8_t cipher_suites(Exchange& x) {
  if (!is_lan_channel(x.request[0])) return kInvalidField;
  Buffer all{0xc0, 3, 0x01, 0x41, 0x81};
  if (!x.machine.quirks.has(Quirk::NoSuite17)) all.insert(all.end(), {0xc0, 17, 0x03, 0x44, 0x81});
  const std::size_t from = static_cast<std::size_t>(x.request[2] & 0x3f) * 16;
  x.reply = {kLanChannel};
  for (std::size_t i = from; i < std::min(all.size(), from + 16); ++i) x.reply.push_back(all[i]);
  return kOk;
}

std::uint8_t set_privilege(Exchange& x) {
  const auto wanted = static_cast<Privilege>(x.request[0] & 0x0f);
  if (wanted == Privilege::None) {
    x.reply = {static_cast<std::uint8_t>(x.session->privilege)};
    return kOk;
  }
  if (wanted > Privilege::Administrator) return 0x80;  // not available
  if (wanted > x.session->highest) return 0x81;        // exceeds channel or user limit
  x.session->privilege = wanted;
  x.reply = {static_cast<std::uint8_t>(wanted)};
  return kOk;
}

std::uint8_t close_session(Exchange& x) {
  const std::uint32_t id = get32(x.request, 0);
  if (id != x.session->handshake.bmc_session && x.session->privilege < Privilege::Administrator)
    return kInsufficientPrivilege;
  return x.responder.sessions().find(id) == nullptr ? 0x87 : kOk;  // the responder ends it after its answer
}

std::uint8_t session_info(Exchange& x) {
  auto& all = x.responder.sessions().all();
  const std::uint8_t index = x.request[0];
  const Session* found = nullptr;
  if (index == 0) {
    found = x.session;
  } else if (index < 0xfe) {
    if (index <= all.size()) found = all[index - 1U].get();
  }
  const auto active = static_cast<std::uint8_t>(all.size());
  if (found == nullptr) {
    x.reply = {0, static_cast<std::uint8_t>(Sessions::kSlots), active};
    return kOk;
  }
  const auto position = std::ranges::find_if(all, [found](const auto& s) { return s.get() == found; });
  x.reply = {static_cast<std::uint8_t>(position - all.begin() + 1),
             static_cast<std::uint8_t>(Sessions::kSlots),
             active,
             found->account,
             static_cast<std::uint8_t>(found->privilege),
             static_cast<std::uint8_t>(0x10 | kLanChannel)};
  return kOk;
}

std::uint8_t channel_access(Exchange& x) {
  if (!is_lan_channel(x.request[0])) return kInvalidField;
  x.reply = {0x02, 0x04};  // always available, administrator
  return kOk;
}

std::uint8_t channel_info(Exchange& x) {
  if (!is_lan_channel(x.request[0])) return kInvalidField;
  x.reply = {kLanChannel, 0x04, 0x01, 0x80, 0xf2, 0x1b, 0x00, 0x00, 0x00};  // 802.3 LAN, IPMB-1.0, multi-session
  return kOk;
}

std::uint8_t activate_payload(Exchange& x) {
  if (static_cast<Payload>(x.request[0] & 0x3f) != Payload::Sol || (x.request[1] & 0x0f) != 1) return kInvalidField;
  const Account* account = x.machine.accounts.slot(x.session->account);
  if (account == nullptr || !account->sol_allowed) return 0x81;  // payload type disabled
  for (const auto& other : x.responder.sessions().all()) {
    if (other->sol) return 0x80;  // already active
  }
  x.session->sol.emplace();
  x.session->sol->position = x.machine.console.end();
  x.reply = {
      0, 0, 0, 0, static_cast<std::uint8_t>(SolState::kMaxData), 0, static_cast<std::uint8_t>(SolState::kMaxData), 0};
  put16(x.reply, x.machine.lan.port);  // on the port of the session itself
  put16(x.reply, 0xffff);              // no VLAN
  return kOk;
}

std::uint8_t deactivate_payload(Exchange& x) {
  if (static_cast<Payload>(x.request[0] & 0x3f) != Payload::Sol) return kInvalidField;
  for (const auto& session : x.responder.sessions().all()) {
    if (!session->sol) continue;
    session->sol.reset();
    return kOk;
  }
  return 0x80;  // already deactivated
}

std::uint8_t payload_activation(Exchange& x) {
  if (static_cast<Payload>(x.request[0]) != Payload::Sol) return kInvalidField;
  x.reply = {0x01, static_cast<std::uint8_t>(x.responder.wants_polls() ? 0x01 : 0x00), 0x00};
  return kOk;
}

std::uint8_t payload_instance(Exchange& x) {
  x.reply.assign(12, 0);
  for (const auto& session : x.responder.sessions().all()) {
    if (!session->sol) continue;
    Buffer id;
    put32(id, session->handshake.bmc_session);
    std::copy(id.begin(), id.end(), x.reply.begin());
  }
  return kOk;
}

std::uint8_t payload_support(Exchange& x) {
  if (!is_lan_channel(x.request[0])) return kInvalidField;
  x.reply = {0x03, 0x00, 0x3f, 0x00, 0x00, 0x00, 0x00, 0x00};  // IPMI and SOL; session setup 10h to 15h
  return kOk;
}

std::uint8_t payload_version(Exchange& x) {
  if (!is_lan_channel(x.request[0]) || x.request[1] > 1) return 0x80;
  x.reply = {0x10};
  return kOk;
}

using enum Effect;
constexpr Command kCommands[] = {
    {kNetFn, 0x01, "get-device-id", Privilege::User, 0, Reads, device_id},
    {kNetFn, 0x02, "cold-reset", Privilege::Administrator, 0, Writes, cold_reset},
    {kNetFn, 0x03, "warm-reset", Privilege::Administrator, 0, Writes, warm_reset},
    {kNetFn, 0x04, "get-self-test-results", Privilege::User, 0, Reads, self_test},
    {kNetFn, 0x08, "get-device-guid", Privilege::User, 0, Reads, guid},
    {kNetFn, 0x25, "get-watchdog", Privilege::User, 0, Reads, watchdog},
    {kNetFn, 0x37, "get-system-guid", Privilege::None, 0, Reads, guid},
    {kNetFn, 0x38, "get-channel-authentication-capabilities", Privilege::None, 2, Reads, channel_authentication},
    {kNetFn, 0x3b, "set-session-privilege", Privilege::User, 1, Reads, set_privilege},
    {kNetFn, 0x3c, "close-session", Privilege::Callback, 4, Reads, close_session},
    {kNetFn, 0x3d, "get-session-info", Privilege::User, 1, Reads, session_info},
    {kNetFn, 0x41, "get-channel-access", Privilege::User, 2, Reads, channel_access},
    {kNetFn, 0x42, "get-channel-info", Privilege::User, 1, Reads, channel_info},
    {kNetFn, 0x48, "activate-payload", Privilege::User, 2, Reads, activate_payload},
    {kNetFn, 0x49, "deactivate-payload", Privilege::User, 2, Reads, deactivate_payload},
    {kNetFn, 0x4a, "get-payload-activation-status", Privilege::User, 1, Reads, payload_activation},
    {kNetFn, 0x4b, "get-payload-instance-info", Privilege::User, 2, Reads, payload_instance},
    {kNetFn, 0x4e, "get-channel-payload-support", Privilege::User, 1, Reads, payload_support},
    {kNetFn, 0x4f, "get-channel-payload-version", Privilege::User, 2, Reads, payload_version},
    {kNetFn, 0x54, "get-channel-cipher-suites", Privilege::None, 3, Reads, cipher_suites},
};

}  // namespace

std::span<const Command> application_commands() noexcept { return kCommands; }

}  // namespace nimbus::simulator::ipmi
