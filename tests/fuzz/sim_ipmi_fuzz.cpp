// The simulator's IPMI side: any datagrams, and any commands inside of an open session.
//
// The first byte chooses: even, what follows are datagrams, each behind a length byte;
// odd, they are messages that arrive signed and encrypted, as from a client that knows
// the password.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "simulator/ipmi/responder.hpp"

using namespace nimbus::simulator;
using namespace nimbus::simulator::ipmi;

namespace {

class StillClock final : public nimbus::Clock {
 public:
  nimbus::MonoTime now() const noexcept override { return {}; }
  nimbus::WallTime wall() const noexcept override { return {}; }
};

const StillClock still_clock;

struct Target {
  Machine machine;
  Responder responder{machine};
  nimbus::base::SocketAddress peer;
  Buffer answer;

  Target() : machine(setup(), still_clock) {
    *machine.accounts.slot(2) = {
        .name = "a", .password = nimbus::Secret("p"), .privilege = Privilege::Administrator, .enabled = true};
  }
  static MachineSetup setup() {
    static const auto hardware = std::make_shared<const Hardware>(generic_server());
    MachineSetup out{.hardware = hardware};
    out.identity.name = "m";
    out.identity.macs = {{}};
    return out;
  }
  void send(Bytes datagram) {
    responder.receive(datagram, peer, [this](const auto&, Bytes out) { answer.assign(out.begin(), out.end()); });
  }
};

struct Login {
  Handshake handshake;
  std::optional<SessionKeys> keys;

  explicit Login(Target& target) {
    Buffer open{1, 4, 0, 0, 1, 0, 0, 0, 0, 0, 0, 8, 1, 0, 0, 0, 1, 0, 0, 8, 1, 0, 0, 0, 2, 0, 0, 8, 1, 0, 0, 0};
    target.send(build_rmcp_plus(Payload::OpenSessionRequest, open));
    handshake.console_session = 1;
    handshake.bmc_session = get32(target.answer, 16 + 8);
    handshake.role = 0x14;
    handshake.user = "a";
    Buffer first{1, 0, 0, 0};
    put32(first, handshake.bmc_session);
    first.insert(first.end(), 16, 0);
    first.insert(first.end(), {0x14, 0, 0, 1, 'a'});
    target.send(build_rmcp_plus(Payload::Rakp1, first));
    std::copy_n(target.answer.begin() + 16 + 8, 16, handshake.bmc_random.begin());
    std::copy_n(target.answer.begin() + 16 + 24, 16, handshake.guid.begin());
    const Bytes key = nimbus::base::as_bytes("p");
    Buffer third{1, 0, 0, 0};
    put32(third, handshake.bmc_session);
    const Buffer code = rakp3_code(kSuite3, handshake, key);
    third.insert(third.end(), code.begin(), code.end());
    target.send(build_rmcp_plus(Payload::Rakp3, third));
    keys.emplace(kSuite3, session_integrity_key(kSuite3, handshake, key));
  }
  Buffer packet(Payload type, Bytes plain, std::uint32_t sequence) {
    Buffer out = build_session_packet(type, true, true, handshake.bmc_session, sequence, keys->encrypt(plain));
    keys->sign(out);
    return out;
  }
};

/// The next piece: a length byte and as many bytes as there are of it.
Bytes next_piece(Bytes& rest) {
  const std::size_t size = std::min<std::size_t>(rest[0], rest.size() - 1);
  const Bytes out = rest.subspan(1, size);
  rest = rest.subspan(1 + size);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  Target target;
  Bytes rest(data + 1, size - 1);
  if ((data[0] & 1) == 0) {
    while (!rest.empty()) target.send(next_piece(rest));
    return 0;
  }
  Login login(target);
  // Administrator first, so that every command is within reach.
  Buffer privilege{0x20, 0x18, 0xc8, 0x81, 0x04, 0x3b, 0x04};
  privilege.push_back(checksum(Bytes(privilege).subspan(3)));
  std::uint32_t sequence = 0;
  target.send(login.packet(Payload::Ipmi, privilege, ++sequence));
  while (!rest.empty()) {
    const Bytes piece = next_piece(rest);
    if (piece.size() < 2) continue;
    if (piece[0] == 0xff) {
      target.send(login.packet(Payload::Sol, piece.subspan(1), ++sequence));
      continue;
    }
    Buffer message{0x20, static_cast<std::uint8_t>(piece[0] << 2)};
    message.push_back(checksum(message));
    message.insert(message.end(), {0x81, static_cast<std::uint8_t>(sequence << 2)});
    message.insert(message.end(), piece.begin() + 1, piece.end());
    message.push_back(checksum(Bytes(message).subspan(3)));
    target.send(login.packet(Payload::Ipmi, message, ++sequence));
  }
  return 0;
}
