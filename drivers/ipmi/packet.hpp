// Frames on UDP: RMCP with an IPMI 1.5 session-less message, and RMCP+ (IPMI
// v2.0 rev 1.1, sections 13.1.3, 13.6 and 13.8). Pure: bytes in, bytes out; views
// in a Frame point into the packet that was parsed.
#pragma once

#include <cstdint>
#include <optional>

#include "drivers/ipmi/wire.hpp"

namespace nimbus::ipmi {

/// No answer that this client asks for is longer; longer packets are dropped unread.
inline constexpr std::size_t kMaxPacketBytes = 1024;

/// Table 13-16.
enum class PayloadType : std::uint8_t {
  IpmiMessage = 0x00,
  Sol = 0x01,
  OpenSessionRequest = 0x10,
  OpenSessionResponse = 0x11,
  Rakp1 = 0x12,
  Rakp2 = 0x13,
  Rakp3 = 0x14,
  Rakp4 = 0x15,
};

struct Frame {
  enum class Kind : std::uint8_t {
    Sessionless,    // IPMI 1.5 header, authentication type "none", session 0
    Setup,          // RMCP+ outside a session: neither encrypted nor authenticated
    Authenticated,  // RMCP+ inside a session, with a trailer
  };
  Kind kind = Kind::Setup;
  PayloadType type = PayloadType::IpmiMessage;
  bool encrypted = false;
  std::uint32_t session_id = 0;
  std::uint32_t sequence = 0;
  Bytes payload;
  Bytes signed_region;  // Authenticated: what the code covers
  Bytes auth_code;      // Authenticated: the last `auth_code_size` bytes
};

/// The frame in `packet`, or nothing for anything malformed or not ours to read.
/// `auth_code_size` is that of the session's integrity algorithm. Nothing is
/// verified here.
std::optional<Frame> parse_frame(Bytes packet, std::size_t auth_code_size);

/// An IPMI 1.5 frame outside a session.
Packet encode_sessionless(Bytes message);
/// An RMCP+ frame outside a session.
Packet encode_setup(PayloadType type, Bytes payload);

/// The part of an authenticated RMCP+ packet before its code: header, payload,
/// padding to a multiple of 4, pad length, next header (section 13.28.4).
Packet encode_authenticated(PayloadType type, std::uint32_t session_id, std::uint32_t sequence,
                            Bytes encrypted_payload);
/// Where the part that the code covers begins: after the RMCP header.
inline constexpr std::size_t kSignedFrom = 4;

}  // namespace nimbus::ipmi
