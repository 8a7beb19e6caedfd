// Responder: the IPMI side of one machine's BMC: datagrams in, datagrams out. Opens no
// socket and reads no clock; all it knows is the machine, its own sessions and what it
// is handed. Thread rule: one thread.
//
// Source: IPMI 2.0 rev 1.1 with errata 7. Spoken: ASF ping, session setup with cipher
// suites 3 and 17 (suite 0 and all others are refused), the commands of commands.hpp,
// serial over LAN. Not spoken: IPMI 1.5 sessions, OEM payloads.
#pragma once

#include <functional>
#include <map>

#include "simulator/ipmi/session.hpp"
#include "simulator/model/machine.hpp"

namespace nimbus::simulator::ipmi {

struct Exchange;

class Responder {
 public:
  using Send = std::function<void(const base::SocketAddress& to, Bytes datagram)>;

  explicit Responder(Machine& machine) : machine_(&machine), restarts_(machine.bmc_restarts()) {}

  /// The machine must have been advanced to now.
  void receive(Bytes datagram, const base::SocketAddress& from, const Send& send);

  /// Console output and repetitions that are due on SOL sessions. To be called while
  /// wants_polls(), every 50 ms or so.
  void poll(const Send& send);
  bool wants_polls() const noexcept;

  std::size_t session_count() const noexcept { return sessions_.count(); }
  Machine& machine() noexcept { return *machine_; }
  Sessions& sessions() noexcept { return sessions_; }
  /// Where in the sensor data repository and event log a reservation stands.
  /// What goes wrong with the datagrams that come next, as a fault script says.
  struct Interference {
    bool lie = false;                             // writes are acknowledged and not done
    bool stale = false;                           // reads show what they showed first
    bool no_sessions = false;                     // no new session is let in
    std::optional<std::uint8_t> completion_code;  // of every command in a session
  };
  void interfere(const Interference& interference) {
    interference_ = interference;
    if (!interference.stale) stale_.clear();
  }
  std::uint16_t sdr_reservation = 0;
  std::uint16_t sel_reservation = 0;

 private:
  void receive_message(const Message& message, Session* session, const base::SocketAddress& from, Bytes raw,
                       bool rmcp_plus, const Send& send);
  void receive_in_session(Frame& frame, const base::SocketAddress& from, const Send& send);
  void receive_sol(Session& session, Bytes payload, const Send& send);
  void push_sol(Session& session, const Send& send);
  void send_in_session(Session& session, Payload type, Bytes payload, const Send& send);
  void deliver(const base::SocketAddress& to, Bytes datagram, const Send& send);

  std::uint8_t execute(const Message& message, Exchange& exchange);
  Buffer open_session(Bytes request, const base::SocketAddress& from);
  Buffer rakp1(Bytes request);
  Buffer rakp3(Bytes request);
  Buffer challenge(Session& session, std::uint8_t tag);

  Machine* machine_;
  Sessions sessions_;
  unsigned restarts_;
  MonoTime last_command_{};
  Interference interference_;
  struct Answered {
    std::uint8_t code = 0;
    Buffer data;
  };
  std::map<Buffer, Answered> stale_;  // by network function, command and data
};

}  // namespace nimbus::simulator::ipmi
