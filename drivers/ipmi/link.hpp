// Link: the connection to one BMC, on the event loop's thread. Opens a session,
// sends one request at a time and matches its reply, repeats what is lost, gives
// up in time.
//
// One UDP socket per BMC, connected to it, and a new one per session: the kernel
// then sorts packets to BMCs, drops those from elsewhere and those meant for an
// earlier session, and tells whose port is closed. It costs one descriptor per BMC.
//
// Retransmission: the first after kFirstWait, then twice as long each time up to
// kLongestWait, kTransmissions in all; more of them in the middle of an opening,
// where the BMC is known to be there. A repeated request keeps its requester
// sequence number, so a BMC can tell it from a new one, and gets a new session
// sequence number. A request that must not run twice is sent once and waited for.
//
// A reply before RAKP 4 carries no checksum, so a failed opening is tried again
// from the start, kOpenings times in all, before its failure is believed.
//
// Thread rule: everything on the loop's thread. One operation at a time: a new one
// ends the old one as Cancelled. Completions are called once, on the same thread,
// and may start the next operation.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/net/event_loop.hpp"
#include "base/net/file_descriptor.hpp"
#include "base/net/socket_address.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "drivers/ipmi/handshake.hpp"
#include "drivers/ipmi/message.hpp"
#include "drivers/ipmi/session.hpp"

namespace nimbus::ipmi {

inline constexpr std::chrono::milliseconds kFirstWait{250};
inline constexpr std::chrono::milliseconds kLongestWait{2000};
inline constexpr int kTransmissions = 5;        // 250 + 500 + 1000 + 2000 + 2000 ms without any answer
inline constexpr int kTransmissionsToDead = 2;  // 250 + 500 ms
inline constexpr int kTransmissionsWhileOpening = 8;
inline constexpr std::chrono::seconds kPatienceOnce{10};  // some BMCs take seconds for a power command
inline constexpr int kOpenings = 3;
/// A session that was idle longer may be gone at the BMC (ipmi_sim: 30 s, IPMI: 60 s
/// ± 3 s, section 6.12.15); then fewer repetitions are spent on finding out.
inline constexpr std::chrono::seconds kSurelyAlive{20};

/// Whether a request without an answer may be sent again.
enum class Repeat : std::uint8_t { WhileUnanswered, Never };

class Link {
 public:
  using OpenDone = std::function<void(Result<>)>;
  using SendDone = std::function<void(Result<Reply>)>;

  explicit Link(base::EventLoop& loop) : loop_(loop) {}
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  /// Ends the present session without a word and opens a new one. Errors:
  /// Unreachable, Timeout, Auth, Unsupported (suite or IPMI 2.0 not offered), Busy (no
  /// free session), Corrupt, Internal.
  void open(Login login, const base::SocketAddress& peer, MonoTime deadline, OpenDone done);

  /// Sends one request in the session. A reply with a completion code other than 0 is
  /// a reply, not an error; "node busy" is asked again a few times if `repeat` allows.
  /// Errors: Conflict (no session, or after its time: nothing was sent), Unreachable (the port is
  /// closed), Timeout (no answer; the session counts as lost then).
  void send(Request request, Repeat repeat, MonoTime deadline, SendDone done);

  /// Tells the BMC that the session ends, waits a moment for its answer, and closes.
  void close(MonoTime deadline, OpenDone done);

  /// Serial characters of the console: what arrives goes to `handler` (none: ignored).
  void on_sol(std::function<void(Bytes)> handler) { sol_handler_ = std::move(handler); }
  /// One SOL payload, sent once; a full buffer or a lost session is like a lost packet.
  void send_sol(Bytes payload);

  /// Drops the session without a word.
  void forget();

  /// Ends the operation in flight; its completion gets `error`.
  void abandon(Error error);

  bool has_session() const noexcept { return session_.has_value(); }
  /// What the BMC said of itself in RAKP 2; zeros before the first session.
  const std::array<std::uint8_t, 16>& guid() const noexcept { return guid_; }

 private:
  enum class Activity : std::uint8_t { Idle, Handshaking, RaisingPrivilege, Requesting };

  void abandon_all();
  Result<> open_socket();
  void close_socket();
  void start_handshake();
  void raise_privilege();
  void opening_failed(Error error);
  void begin_request(Request request, Repeat repeat);
  void transmit();
  void on_silence();
  int most_transmissions(MonoTime now) const;
  void on_readable();
  void on_refused(const Error& error);
  void on_packet(Bytes packet);
  void on_reply(const ReplyView& reply);
  void on_no_answer();
  void finish_open(Result<> result);
  void finish_send(Result<Reply> result);
  void finish(Error error);
  void arm(std::chrono::nanoseconds delay);
  void disarm();
  Error silence_error() const;

  base::EventLoop& loop_;
  base::SocketAddress peer_;
  base::FileDescriptor socket_;
  std::array<std::uint8_t, 16> guid_{};

  // The operation in flight.
  Activity activity_ = Activity::Idle;
  MonoTime deadline_{};
  OpenDone open_done_;
  SendDone send_done_;
  base::EventLoop::TimerId timer_ = base::EventLoop::TimerId::None;
  int transmissions_ = 0;
  int refusals_ = 0;
  std::chrono::milliseconds wait_{0};
  MonoTime due_{};  // when the timer should fire

  // Opening.
  std::optional<Login> login_;
  std::optional<Handshake> handshake_;
  int openings_ = 0;

  // In the session.
  std::optional<Session> session_;
  std::function<void(Bytes)> sol_handler_;
  Request request_;
  Packet message_;
  Repeat repeat_ = Repeat::WhileUnanswered;
  bool waiting_to_send_ = false;  // for the spacing, or after "node busy"
  int times_busy_ = 0;
  int silent_requests_ = 0;
  unsigned sequence_ = 0;
  std::chrono::milliseconds spacing_{0};
  MonoTime last_heard_{};
  MonoTime last_sent_{};
};

}  // namespace nimbus::ipmi
