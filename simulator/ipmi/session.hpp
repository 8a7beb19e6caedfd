// Sessions of one BMC: slots, keys, sequence numbers, the last answer.
// Thread rule: one thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/net/socket_address.hpp"
#include "core/time.hpp"
#include "simulator/ipmi/cipher.hpp"
#include "simulator/ipmi/packet.hpp"
#include "simulator/model/accounts.hpp"

namespace nimbus::simulator::ipmi {

/// Serial over LAN on a session (IPMI 2.0, section 15).
struct SolState {
  static constexpr std::size_t kMaxData = 200;
  static constexpr int kRetries = 7;
  static constexpr std::chrono::milliseconds kRetryInterval{500};

  std::uint64_t position = 0;      // of the console's output
  std::uint8_t next_sequence = 1;  // 1 … 15
  std::uint8_t last_received = 0;  // the console's last sequence number
  std::uint8_t last_accepted = 0;  // how many of its characters
  std::size_t in_flight = 0;       // characters sent and not acknowledged
  Buffer unacknowledged;           // the packet's payload, for repeating
  MonoTime sent_at{};
  int tries = 0;
};

/// Which sequence numbers were seen (section 6.12.13): a window of 32 below the highest.
class SequenceWindow {
 public:
  /// False for one seen before or too old.
  bool accept(std::uint32_t sequence) noexcept;

 private:
  std::uint32_t highest_ = 0;
  std::uint32_t seen_ = 0;  // bit n: highest - n was seen
};

struct Session {
  enum class Stage : std::uint8_t { Opened, Challenged, Active } stage = Stage::Opened;
  base::SocketAddress peer;
  const CipherSuite* suite = nullptr;
  Handshake handshake;
  Privilege highest = Privilege::None;  // granted by Open Session, then also by the account
  Privilege privilege = Privilege::None;
  std::uint8_t account = 0;
  std::optional<SessionKeys> keys;
  SequenceWindow received;
  std::uint32_t sequence = 0;  // last sent
  MonoTime last_used{};
  std::optional<SolState> sol;

  /// The last command that changes something, for a client that repeats it.
  struct LastWrite {
    MonoTime at{};
    Buffer request;
    Buffer reply;
  };
  std::optional<LastWrite> last_write;
};

class Sessions {
 public:
  static constexpr std::size_t kSlots = 16;
  static constexpr std::chrono::seconds kIdleLimit{60};  // section 6.12.15: 60 s, plus or minus 3
  static constexpr std::chrono::seconds kHandshakeLimit{10};

  /// Null if all `slots` are taken.
  Session* open(MonoTime now, std::size_t slots);
  Session* find(std::uint32_t id) noexcept;
  void close(std::uint32_t id);
  void expire(MonoTime now);
  void clear() { sessions_.clear(); }
  std::size_t count() const noexcept { return sessions_.size(); }
  std::vector<std::unique_ptr<Session>>& all() noexcept { return sessions_; }

 private:
  std::vector<std::unique_ptr<Session>> sessions_;
};

}  // namespace nimbus::simulator::ipmi
