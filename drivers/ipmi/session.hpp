// Session: messages inside an open RMCP+ session: encryption, authentication
// codes, sequence numbers (IPMI v2.0 rev 1.1, sections 13.28, 13.29 and 6.12.13).
// Pure: no sockets, no clock. Thread rule: one thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/crypto/crypto.hpp"
#include "drivers/ipmi/message.hpp"
#include "drivers/ipmi/packet.hpp"
#include "drivers/ipmi/rakp.hpp"

namespace nimbus::ipmi {

/// Which of the peer's sequence numbers were seen: each counts once, and none that
/// lies more than 31 behind the newest.
class SequenceWindow {
 public:
  /// True the first time for a number inside the window.
  bool accept(std::uint32_t number) noexcept;

 private:
  std::uint32_t newest_ = 0;
  std::uint32_t seen_ = 0;  // bit i: newest_ - i
  bool any_ = false;
};

class Session {
 public:
  Session(const Exchange& exchange, const SessionKeys& keys, Checksums checksums);

  /// `message`, encrypted and signed, with the next session sequence number: also a
  /// repetition of a message gets a new one.
  Packet seal(PayloadType type, Bytes message);

  struct Opened {
    PayloadType type = PayloadType::IpmiMessage;
    std::vector<std::uint8_t> payload;
  };
  /// What a packet carries; nothing if it is not of this session, was changed on
  /// the way, or was seen before.
  std::optional<Opened> open(Bytes packet);

  /// Close Session (section 22.19) for this session.
  Request close_request() const;

  Checksums checksums() const noexcept { return checksums_; }

 private:
  SuiteAlgorithms algorithms_;
  std::uint32_t console_session_;
  std::uint32_t bmc_session_;
  std::uint32_t next_sequence_ = 1;
  SequenceWindow window_;
  Checksums checksums_;
  base::Hmac integrity_;
  base::Aes128Cbc encrypt_;
  base::Aes128Cbc decrypt_;
};

}  // namespace nimbus::ipmi
