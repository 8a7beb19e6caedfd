// Serial over LAN: packets with acknowledgement and repetition (IPMI 2.0, section 15.9).
#include <algorithm>

#include "simulator/ipmi/responder.hpp"

namespace nimbus::simulator::ipmi {
namespace {

constexpr std::uint8_t kLastSequence = 15;
constexpr std::uint8_t kNack = 0x40;  // status and operation bits, table 15-2

}  // namespace

bool Responder::wants_polls() const noexcept {
  const auto& all = const_cast<Responder*>(this)->sessions_.all();
  return std::any_of(all.begin(), all.end(), [](const auto& session) { return session->sol.has_value(); });
}

void Responder::receive_sol(Session& session, Bytes payload, const Send& send) {
  if (payload.size() < 4 || !session.sol) return;
  SolState& sol = *session.sol;
  const std::uint8_t sequence = payload[0] & 0x0f;
  const std::uint8_t acknowledged = payload[1] & 0x0f;
  if (acknowledged != 0 && !sol.unacknowledged.empty() && acknowledged == sol.unacknowledged[0]) {
    const bool nack = (payload[3] & kNack) != 0;
    const std::size_t accepted = nack ? std::min<std::size_t>(payload[2], sol.in_flight) : sol.in_flight;
    sol.position += accepted;
    sol.in_flight = 0;
    sol.unacknowledged.clear();
  }
  if (sequence != 0) {
    const Bytes characters = payload.subspan(4);
    if (sequence != sol.last_received) {
      sol.last_received = sequence;
      sol.last_accepted = static_cast<std::uint8_t>(std::min<std::size_t>(characters.size(), 0xff));
      if (!characters.empty()) {
        machine_->console_input({reinterpret_cast<const char*>(characters.data()), characters.size()});
      }
    }
    const Buffer answer{0, sequence, sol.last_accepted, 0};
    send_in_session(session, Payload::Sol, answer, send);
  }
  push_sol(session, send);
}

void Responder::push_sol(Session& session, const Send& send) {
  SolState& sol = *session.sol;
  const MonoTime now = machine_->now();
  if (!sol.unacknowledged.empty()) {
    if (now - sol.sent_at < SolState::kRetryInterval) return;
    if (sol.tries >= SolState::kRetries) {  // nobody listens: these characters are lost
      sol.position += sol.in_flight;
      sol.in_flight = 0;
      sol.unacknowledged.clear();
      return;
    }
    ++sol.tries;
    sol.sent_at = now;
    send_in_session(session, Payload::Sol, sol.unacknowledged, send);
    return;
  }
  const auto text = machine_->console.since(sol.position);
  if (text.empty()) return;
  sol.position = machine_->console.end() - text.size();  // skips what is no longer kept
  sol.in_flight = std::min(text.size(), SolState::kMaxData);
  sol.unacknowledged = {sol.next_sequence, 0, 0, 0};
  for (const char c : text.substr(0, sol.in_flight)) sol.unacknowledged.push_back(static_cast<std::uint8_t>(c));
  sol.next_sequence =
      sol.next_sequence == kLastSequence ? std::uint8_t{1} : static_cast<std::uint8_t>(sol.next_sequence + 1);
  sol.sent_at = now;
  sol.tries = 0;
  send_in_session(session, Payload::Sol, sol.unacknowledged, send);
}

void Responder::poll(const Send& send) {
  if (!machine_->bmc_up()) return;
  sessions_.expire(machine_->now());
  for (const auto& session : sessions_.all()) {
    if (session->sol && session->stage == Session::Stage::Active) push_sol(*session, send);
  }
}

}  // namespace nimbus::simulator::ipmi
