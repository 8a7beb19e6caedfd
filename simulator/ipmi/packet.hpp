// Packets of IPMI over LAN: RMCP, ASF presence ping, IPMI 1.5 and RMCP+ framing.
//
// Sources: IPMI 2.0 rev 1.1, sections 13.1 (RMCP), 13.2 (ASF), 13.6 (session headers)
// and 13.8 (IPMI messages). Pure functions; every length is checked, nothing is kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace nimbus::simulator::ipmi {

using Bytes = std::span<const std::uint8_t>;
using Buffer = std::vector<std::uint8_t>;

inline constexpr std::size_t kMaxDatagram = 1024;  // larger ones are not IPMI: dropped
inline constexpr std::uint8_t kClassAsf = 0x06;
inline constexpr std::uint8_t kClassIpmi = 0x07;

enum class Payload : std::uint8_t {
  Ipmi = 0x00,
  Sol = 0x01,
  OpenSessionRequest = 0x10,
  OpenSessionResponse = 0x11,
  Rakp1 = 0x12,
  Rakp2 = 0x13,
  Rakp3 = 0x14,
  Rakp4 = 0x15,
};

/// Behind the four bytes of RMCP.
struct Frame {
  enum class Kind : std::uint8_t { AsfPing, Ipmi15, RmcpPlus } kind = Kind::AsfPing;
  std::uint8_t asf_tag = 0;
  Payload payload_type = Payload::Ipmi;  // RmcpPlus; the two flag bits are separate
  bool encrypted = false;
  bool authenticated = false;
  std::uint32_t session = 0;
  std::uint32_t sequence = 0;
  Bytes payload;
  Bytes covered;  // what an authentication code covers: from the auth type to the next header
  Bytes code;     // the authentication code, as long as the datagram is
};
/// Views into `datagram`. `code_size` is asked for authenticated packets: how long the
/// session's codes are; nothing for an unknown session.
std::optional<Frame> parse_frame(Bytes datagram);
/// Splits covered bytes and code once the code's length is known; false if it does not fit.
bool split_code(Frame& frame, std::size_t code_size);

/// IPMI 2.0, section 13.8.
struct Message {
  std::uint8_t responder = 0x20;
  std::uint8_t net_fn = 0;
  std::uint8_t responder_lun = 0;
  std::uint8_t requester = 0x81;
  std::uint8_t requester_sequence = 0;
  std::uint8_t requester_lun = 0;
  std::uint8_t command = 0;
  Bytes data;
};
/// Nothing if too short or a checksum is wrong.
std::optional<Message> parse_message(Bytes payload);
/// The answer to `request`: completion code and data, with addresses swapped.
Buffer build_reply(const Message& request, std::uint8_t completion_code, Bytes data);

Buffer build_pong(std::uint8_t tag);
Buffer build_ipmi15(Bytes payload);
/// Without session: session id, sequence number and codes are zero.
Buffer build_rmcp_plus(Payload type, Bytes payload);
/// Header of a packet in a session, up to and without the authentication code.
Buffer build_session_packet(Payload type, bool encrypted, bool authenticated, std::uint32_t session,
                            std::uint32_t sequence, Bytes payload);

std::uint8_t checksum(Bytes bytes) noexcept;
void put16(Buffer& out, std::uint16_t value);
void put32(Buffer& out, std::uint32_t value);
std::uint16_t get16(Bytes bytes, std::size_t at) noexcept;
std::uint32_t get32(Bytes bytes, std::size_t at) noexcept;

}  // namespace nimbus::simulator::ipmi
