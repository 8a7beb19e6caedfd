// SolChannel: serial characters over a network that loses packets (SOL, IPMI v2.0 rev
// 1.1, sections 15.9 to 15.11). Pure: payloads in, payloads out; the caller sends, waits
// and sends again.
//
// One packet at a time is under way in each direction. A packet that comes again is
// acknowledged again and its characters counted once; a packet that the BMC took in part
// is continued with the rest.
//
// Thread rule: one thread at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "drivers/ipmi/wire.hpp"

namespace nimbus::ipmi {

inline constexpr std::size_t kSolHeaderBytes = 4;
inline constexpr std::size_t kMaxSolCharacters = 200;  // per packet; the count has one byte

class SolChannel {
 public:
  /// `most` characters per packet to the BMC, at least 1.
  explicit SolChannel(std::size_t most) : most_(most) {}

  struct Received {
    std::string characters;       // new ones
    std::optional<Packet> reply;  // the acknowledgement, to be sent now
    bool acknowledged = false;    // something of ours arrived: ask next() again
    bool ended = false;           // the BMC deactivated the console
  };
  /// Characters are taken only if there are `room` bytes for all of them; otherwise the
  /// BMC is told to come again. Nothing for what is no SOL payload.
  std::optional<Received> receive(Bytes payload, std::size_t room);

  void put(std::string_view characters);
  void put_break();
  /// Forgets what was put and is not yet acknowledged.
  void discard();

  /// The next packet to send, if none is under way and there is something.
  std::optional<Packet> next();
  /// The packet under way, to be sent again; nothing if there is none.
  std::optional<Packet> again() const;
  bool all_acknowledged() const noexcept { return !under_way_ && output_.empty(); }

 private:
  struct Piece {
    std::string characters;
    bool is_break = false;
  };
  struct UnderWay {
    std::uint8_t sequence = 0;
    std::size_t characters = 0;  // of the first piece
  };
  bool receive_acknowledgement(std::uint8_t sequence, std::size_t count, bool refused);
  Packet packet_of(const UnderWay& under_way) const;

  std::size_t most_;
  std::deque<Piece> output_;
  std::optional<UnderWay> under_way_;
  std::uint8_t last_sent_ = 0;
  std::uint8_t last_received_ = 0;  // 0: nothing yet
  std::size_t last_received_size_ = 0;
};

/// Activate Payload, section 24.1: what the BMC allows.
struct SolActivation {
  std::size_t most_characters = 0;
};
/// A size that cannot be (quirk "solpayloadsize") counts as a small one. Nothing if the
/// answer is too short.
std::optional<SolActivation> parse_activation(Bytes data);

}  // namespace nimbus::ipmi
