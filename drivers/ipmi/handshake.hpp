// Handshake: opens one RMCP+ session (IPMI v2.0 rev 1.1, section 13.14). Pure:
// packets in, packets out; the caller sends, waits and sends again.
//
//   Get Channel Authentication Capabilities → Open Session → RAKP 1/2 → RAKP 3/4
//
// Replies before RAKP 4 carry no checksum, so one corrupt byte looks like a wrong
// password or a refusal. Whoever runs a handshake must try again with a fresh one
// before believing a failure. What cannot belong to this handshake (other tag,
// other session, late duplicates) is ignored, never an error.
//
// Thread rule: one thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "core/endpoint.hpp"
#include "core/error.hpp"
#include "core/secret.hpp"
#include "drivers/ipmi/packet.hpp"
#include "drivers/ipmi/quirks.hpp"
#include "drivers/ipmi/rakp.hpp"

namespace nimbus::ipmi {

/// How long a BMC that says nothing at all is waited for. Short: it said nothing the
/// last times either.
enum class Patience : std::uint8_t { Usual, Short };

/// Who opens a session, and how.
struct Login {
  CipherSuite suite = CipherSuite::Suite17;
  IpmiPrivilege privilege = IpmiPrivilege::Operator;
  std::string username = {};
  Secret password = {};
  Secret k_g = {};
  Quirks quirks = {};
  Patience patience = Patience::Usual;
};

/// Fresh random values for one handshake.
struct Nonce {
  std::uint32_t session = 0;  // not 0
  std::uint8_t tag = 0;
  std::array<std::uint8_t, 16> random{};

  static Nonce make();
};

class Handshake {
 public:
  enum class Step : std::uint8_t { Capabilities, OpenSession, Rakp1, Rakp3, Done, Failed };
  /// Ignored: the packet is not for us. Advanced: send packet() now.
  enum class Event : std::uint8_t { Ignored, Advanced, Done, Failed };

  /// `login` must outlive the handshake.
  Handshake(const Login& login, const Nonce& nonce);

  Step step() const noexcept { return step_; }
  /// To be sent, and sent again while no answer comes.
  const Packet& packet() const noexcept { return packet_; }
  Event receive(Bytes packet);

  /// After Failed: for people, with the code that says what to do.
  const Error& failure() const noexcept { return failure_; }
  /// After Done.
  const Exchange& exchange() const noexcept { return exchange_; }
  const SessionKeys& keys() const noexcept { return *keys_; }

  /// The step in words, for messages about missing answers.
  static std::string_view name_of(Step step) noexcept;

 private:
  Event receive_capabilities(const Frame& frame);
  Event receive_open_session(const Frame& frame);
  Event receive_rakp2(const Frame& frame);
  Event receive_rakp4(const Frame& frame);
  Event advance(Step step, Packet packet);
  Event fail(Code code, std::string message);
  Event refuse(std::uint8_t status);

  const Login& login_;
  Exchange exchange_;
  std::uint8_t tag_;
  Step step_ = Step::Capabilities;
  Packet packet_;
  Error failure_;
  std::optional<SessionKeys> keys_;
  bool k_g_wanted_ = false;  // the BMC says that its K_g is not zero
};

}  // namespace nimbus::ipmi
