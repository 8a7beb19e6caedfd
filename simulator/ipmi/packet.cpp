#include "simulator/ipmi/packet.hpp"

namespace nimbus::simulator::ipmi {
namespace {

constexpr std::uint8_t kRmcpVersion = 0x06;
constexpr std::size_t kRmcpSize = 4;
constexpr std::uint8_t kAuthNone = 0x00;
constexpr std::uint8_t kAuthRmcpPlus = 0x06;
constexpr std::uint8_t kAsfPing = 0x80;
constexpr std::uint8_t kAsfPong = 0x40;
constexpr std::uint32_t kAsfEnterprise = 4542;
constexpr std::uint8_t kNextHeader = 0x07;
constexpr std::size_t kRmcpPlusHeader = 12;  // auth type to payload length
constexpr std::size_t kIpmi15Header = 10;

void put_rmcp(Buffer& out, std::uint8_t kind) {
  out.insert(out.end(), {kRmcpVersion, 0x00, 0xff, kind});  // sequence 0xff: no RMCP acknowledgement
}

std::optional<Frame> parse_asf(Bytes body) {
  if (body.size() < 8 || body[4] != kAsfPing) return std::nullopt;
  const std::uint32_t enterprise = static_cast<std::uint32_t>(body[0]) << 24 |
                                   static_cast<std::uint32_t>(body[1]) << 16 |
                                   static_cast<std::uint32_t>(body[2]) << 8 | body[3];
  if (enterprise != kAsfEnterprise) return std::nullopt;
  return Frame{.kind = Frame::Kind::AsfPing, .asf_tag = body[5]};
}

std::optional<Frame> parse_ipmi15(Bytes body) {
  if (body.size() < kIpmi15Header) return std::nullopt;
  const std::size_t length = body[9];
  if (length > body.size() - kIpmi15Header) return std::nullopt;
  Frame frame{.kind = Frame::Kind::Ipmi15};
  frame.sequence = get32(body, 1);
  frame.session = get32(body, 5);
  frame.payload = body.subspan(kIpmi15Header, length);
  return frame;
}

std::optional<Frame> parse_rmcp_plus(Bytes body) {
  if (body.size() < kRmcpPlusHeader) return std::nullopt;
  Frame frame{.kind = Frame::Kind::RmcpPlus};
  frame.encrypted = (body[1] & 0x80) != 0;
  frame.authenticated = (body[1] & 0x40) != 0;
  frame.payload_type = static_cast<Payload>(body[1] & 0x3f);
  if ((body[1] & 0x3f) == 0x02) return std::nullopt;  // OEM explicit: six more header bytes that nobody here speaks
  frame.session = get32(body, 2);
  frame.sequence = get32(body, 6);
  const std::size_t length = get16(body, 10);
  if (length > body.size() - kRmcpPlusHeader) return std::nullopt;
  frame.payload = body.subspan(kRmcpPlusHeader, length);
  frame.covered = body;
  return frame;
}

}  // namespace

std::uint8_t checksum(Bytes bytes) noexcept {
  unsigned sum = 0;
  for (const auto byte : bytes) sum += byte;
  return static_cast<std::uint8_t>(0U - sum);
}

void put16(Buffer& out, std::uint16_t value) {
  out.push_back(static_cast<std::uint8_t>(value & 0xff));
  out.push_back(static_cast<std::uint8_t>(value >> 8));
}

void put32(Buffer& out, std::uint32_t value) {
  put16(out, static_cast<std::uint16_t>(value & 0xffff));
  put16(out, static_cast<std::uint16_t>(value >> 16));
}

std::uint16_t get16(Bytes bytes, std::size_t at) noexcept {
  return static_cast<std::uint16_t>(bytes[at] | bytes[at + 1] << 8);
}

std::uint32_t get32(Bytes bytes, std::size_t at) noexcept {
  return get16(bytes, at) | static_cast<std::uint32_t>(get16(bytes, at + 2)) << 16;
}

std::optional<Frame> parse_frame(Bytes datagram) {
  if (datagram.size() <= kRmcpSize || datagram.size() > kMaxDatagram || datagram[0] != kRmcpVersion)
    return std::nullopt;
  const Bytes body = datagram.subspan(kRmcpSize);
  if (datagram[3] == kClassAsf) return parse_asf(body);
  if (datagram[3] != kClassIpmi) return std::nullopt;
  if (body[0] == kAuthNone) return parse_ipmi15(body);
  if (body[0] == kAuthRmcpPlus) return parse_rmcp_plus(body);
  return std::nullopt;
}

bool split_code(Frame& frame, std::size_t code_size) {
  const Bytes all = frame.covered;
  // Behind the payload: padding, its length, the next-header byte, the code.
  const std::size_t least = kRmcpPlusHeader + frame.payload.size() + 2;
  if (all.size() < least + code_size) return false;
  const std::size_t covered = all.size() - code_size;
  if (all[covered - 1] != kNextHeader) return false;
  const std::size_t padding = all[covered - 2];
  if (covered - 2 - kRmcpPlusHeader - frame.payload.size() != padding) return false;
  frame.covered = all.first(covered);
  frame.code = all.subspan(covered);
  return true;
}

std::optional<Message> parse_message(Bytes payload) {
  if (payload.size() < 7) return std::nullopt;
  if (checksum(payload.first(2)) != payload[2]) return std::nullopt;
  const Bytes rest = payload.subspan(3);
  if (checksum(rest.first(rest.size() - 1)) != rest.back()) return std::nullopt;
  Message message;
  message.responder = payload[0];
  message.net_fn = static_cast<std::uint8_t>(payload[1] >> 2);
  message.responder_lun = payload[1] & 0x03;
  message.requester = payload[3];
  message.requester_sequence = static_cast<std::uint8_t>(payload[4] >> 2);
  message.requester_lun = payload[4] & 0x03;
  message.command = payload[5];
  message.data = payload.subspan(6, payload.size() - 7);
  return message;
}

Buffer build_reply(const Message& request, std::uint8_t completion_code, Bytes data) {
  Buffer out;
  out.reserve(data.size() + 8);
  out.push_back(request.requester);
  out.push_back(static_cast<std::uint8_t>((request.net_fn | 1) << 2 | request.requester_lun));
  out.push_back(checksum(out));
  out.push_back(request.responder);
  out.push_back(static_cast<std::uint8_t>(request.requester_sequence << 2 | request.responder_lun));
  out.push_back(request.command);
  out.push_back(completion_code);
  out.insert(out.end(), data.begin(), data.end());
  out.push_back(checksum(Bytes(out).subspan(3)));
  return out;
}

Buffer build_pong(std::uint8_t tag) {
  Buffer out;
  put_rmcp(out, kClassAsf);
  out.insert(out.end(), {0x00, 0x00, 0x11, 0xbe, kAsfPong, tag, 0x00, 0x10});
  out.insert(out.end(), {0x00, 0x00, 0x11, 0xbe, 0, 0, 0, 0});
  out.push_back(0x81);  // IPMI supported, ASF version 1.0
  out.insert(out.end(), 7, 0);
  return out;
}

Buffer build_ipmi15(Bytes payload) {
  Buffer out;
  put_rmcp(out, kClassIpmi);
  out.push_back(kAuthNone);
  put32(out, 0);
  put32(out, 0);
  out.push_back(static_cast<std::uint8_t>(payload.size()));
  out.insert(out.end(), payload.begin(), payload.end());
  return out;
}

Buffer build_rmcp_plus(Payload type, Bytes payload) {
  Buffer out;
  out.reserve(kRmcpSize + kRmcpPlusHeader + payload.size());
  put_rmcp(out, kClassIpmi);
  out.push_back(kAuthRmcpPlus);
  out.push_back(static_cast<std::uint8_t>(type));
  put32(out, 0);
  put32(out, 0);
  put16(out, static_cast<std::uint16_t>(payload.size()));
  out.insert(out.end(), payload.begin(), payload.end());
  return out;
}

Buffer build_session_packet(Payload type, bool encrypted, bool authenticated, std::uint32_t session,
                            std::uint32_t sequence, Bytes payload) {
  Buffer out;
  out.reserve(kRmcpSize + kRmcpPlusHeader + payload.size() + 24);
  put_rmcp(out, kClassIpmi);
  out.push_back(kAuthRmcpPlus);
  out.push_back(
      static_cast<std::uint8_t>(static_cast<unsigned>(type) | (encrypted ? 0x80U : 0U) | (authenticated ? 0x40U : 0U)));
  put32(out, session);
  put32(out, sequence);
  put16(out, static_cast<std::uint16_t>(payload.size()));
  out.insert(out.end(), payload.begin(), payload.end());
  if (authenticated) {
    std::uint8_t padding = 0;
    while ((out.size() - kRmcpSize + 2) % 4 != 0) {
      out.push_back(0xff);
      ++padding;
    }
    out.push_back(padding);
    out.push_back(kNextHeader);
  }
  return out;
}

}  // namespace nimbus::simulator::ipmi
