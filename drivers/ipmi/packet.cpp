#include "drivers/ipmi/packet.hpp"

namespace nimbus::ipmi {
namespace {

constexpr std::uint8_t kRmcpVersion = 0x06;
constexpr std::uint8_t kRmcpNoAck = 0xFF;  // sequence number: no RMCP acknowledge wanted
constexpr std::uint8_t kRmcpClassIpmi = 0x07;
constexpr std::uint8_t kAuthTypeNone = 0x00;
constexpr std::uint8_t kAuthTypeRmcpPlus = 0x06;
constexpr std::uint8_t kEncryptedBit = 0x80;
constexpr std::uint8_t kAuthenticatedBit = 0x40;
constexpr std::uint8_t kNextHeader = 0x07;
constexpr std::uint8_t kIntegrityPad = 0xFF;

void write_rmcp_header(Writer& out) {
  out.u8(kRmcpVersion);
  out.u8(0);
  out.u8(kRmcpNoAck);
  out.u8(kRmcpClassIpmi);
}

std::optional<Frame> parse_sessionless(Reader in) {
  Frame frame{.kind = Frame::Kind::Sessionless};
  frame.sequence = in.u32();
  frame.session_id = in.u32();
  const std::size_t size = in.u8();
  frame.payload = in.bytes(size);
  if (!in.ok() || frame.session_id != 0) return std::nullopt;
  return frame;
}

std::optional<Frame> parse_rmcp_plus(Bytes packet, Reader in, std::size_t auth_code_size) {
  const std::uint8_t type = in.u8();
  Frame frame{.type = static_cast<PayloadType>(type & 0x3FU), .encrypted = (type & kEncryptedBit) != 0};
  frame.session_id = in.u32();
  frame.sequence = in.u32();
  std::size_t size = in.u16();
  if ((type & kAuthenticatedBit) == 0) {
    // Quirk "supermicro20": RAKP 2 of some boards claims one byte more than it has.
    // Taken as it is; its authentication code decides.
    if (size == in.left() + 1) --size;
    frame.kind = Frame::Kind::Setup;
    frame.payload = in.bytes(size);
    if (!in.ok() || frame.encrypted || frame.session_id != 0) return std::nullopt;
    return frame;
  }
  frame.kind = Frame::Kind::Authenticated;
  frame.payload = in.bytes(size);
  const auto trailer = in.rest();
  if (!in.ok() || trailer.size() < 2 + auth_code_size) return std::nullopt;
  const auto pad_and_header = trailer.first(trailer.size() - auth_code_size);
  const std::size_t pad = pad_and_header[pad_and_header.size() - 2];
  if (pad != pad_and_header.size() - 2) return std::nullopt;
  frame.auth_code = trailer.last(auth_code_size);
  frame.signed_region = packet.subspan(kSignedFrom, packet.size() - kSignedFrom - auth_code_size);
  return frame;
}

}  // namespace

std::optional<Frame> parse_frame(Bytes packet, std::size_t auth_code_size) {
  if (packet.size() > kMaxPacketBytes) return std::nullopt;
  Reader in(packet);
  const std::uint8_t version = in.u8();
  in.u8();  // reserved
  in.u8();  // RMCP sequence: no acknowledges are used with IPMI
  const std::uint8_t message_class = in.u8();
  const std::uint8_t auth_type = in.u8();
  if (!in.ok() || version != kRmcpVersion || message_class != kRmcpClassIpmi) return std::nullopt;
  if (auth_type == kAuthTypeNone) return parse_sessionless(in);
  if (auth_type == kAuthTypeRmcpPlus) return parse_rmcp_plus(packet, in, auth_code_size);
  return std::nullopt;
}

Packet encode_sessionless(Bytes message) {
  Packet packet;
  Writer out(packet);
  write_rmcp_header(out);
  out.u8(kAuthTypeNone);
  out.u32(0);
  out.u32(0);
  out.u8(static_cast<unsigned>(message.size()));
  out.bytes(message);
  return packet;
}

Packet encode_setup(PayloadType type, Bytes payload) {
  Packet packet;
  Writer out(packet);
  write_rmcp_header(out);
  out.u8(kAuthTypeRmcpPlus);
  out.u8(static_cast<unsigned>(type));
  out.u32(0);
  out.u32(0);
  out.u16(static_cast<unsigned>(payload.size()));
  out.bytes(payload);
  return packet;
}

Packet encode_authenticated(PayloadType type, std::uint32_t session_id, std::uint32_t sequence,
                            Bytes encrypted_payload) {
  Packet packet;
  packet.reserve(encrypted_payload.size() + 64);
  Writer out(packet);
  write_rmcp_header(out);
  out.u8(kAuthTypeRmcpPlus);
  out.u8(static_cast<unsigned>(type) | kEncryptedBit | kAuthenticatedBit);
  out.u32(session_id);
  out.u32(sequence);
  out.u16(static_cast<unsigned>(encrypted_payload.size()));
  out.bytes(encrypted_payload);
  const std::size_t covered = packet.size() - kSignedFrom + 2;
  const std::size_t pad = (4 - covered % 4) % 4;
  out.fill(pad, kIntegrityPad);
  out.u8(static_cast<unsigned>(pad));
  out.u8(kNextHeader);
  return packet;
}

}  // namespace nimbus::ipmi
