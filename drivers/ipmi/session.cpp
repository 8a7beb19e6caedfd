#include "drivers/ipmi/session.hpp"

#include <array>

namespace nimbus::ipmi {
namespace {

constexpr std::size_t kBlock = 16;
constexpr std::uint32_t kWindow = 32;

std::span<const std::uint8_t, kBlock> aes_key(const SessionKeys& keys) {
  return std::span<const std::uint8_t, 32>(keys.encryption).first<kBlock>();
}

}  // namespace

bool SequenceWindow::accept(std::uint32_t number) noexcept {
  if (number == 0) return false;  // 0 is for packets outside a session
  if (!any_) {
    any_ = true;
    newest_ = number;
    seen_ = 1;
    return true;
  }
  const std::uint32_t ahead = number - newest_;  // modulo 2^32: the counter may wrap
  if (ahead != 0 && ahead < 0x80000000U) {
    seen_ = ahead < kWindow ? (seen_ << ahead) | 1U : 1U;
    newest_ = number;
    return true;
  }
  const std::uint32_t behind = newest_ - number;
  if (behind >= kWindow) return false;
  const std::uint32_t bit = std::uint32_t{1} << behind;
  if ((seen_ & bit) != 0) return false;
  seen_ |= bit;
  return true;
}

Session::Session(const Exchange& exchange, const SessionKeys& keys, Checksums checksums)
    : algorithms_(algorithms_of(exchange.suite)),
      console_session_(exchange.console_session),
      bmc_session_(exchange.bmc_session),
      checksums_(checksums),
      integrity_(algorithms_.hash, Bytes(keys.integrity).first(keys.size)),
      encrypt_(base::Aes128Cbc::Direction::Encrypt, aes_key(keys)),
      decrypt_(base::Aes128Cbc::Direction::Decrypt, aes_key(keys)) {}

Packet Session::seal(PayloadType type, Bytes message) {
  // Section 13.29: initialization vector, then message, pad 1, 2, 3, …, pad length.
  const std::size_t pad = (kBlock - (message.size() + 1) % kBlock) % kBlock;
  Packet body(kBlock, 0);
  body.reserve(kBlock + message.size() + pad + 1);
  base::random_bytes(body);
  Writer out(body);
  out.bytes(message);
  for (std::size_t i = 1; i <= pad; ++i) out.u8(static_cast<unsigned>(i));
  out.u8(static_cast<unsigned>(pad));
  const auto text = std::span<std::uint8_t>(body).subspan(kBlock);
  encrypt_.run(std::span<const std::uint8_t>(body).first<kBlock>(), text, text);

  Packet packet = encode_authenticated(type, bmc_session_, next_sequence_, body);
  next_sequence_ = next_sequence_ == 0xFFFFFFFFU ? 1 : next_sequence_ + 1;
  std::array<std::uint8_t, 32> code{};
  integrity_.compute({Bytes(packet).subspan(kSignedFrom)}, code);
  Writer(packet).bytes(Bytes(code).first(algorithms_.auth_code_size));
  return packet;
}

std::optional<Session::Opened> Session::open(Bytes packet) {
  const auto frame = parse_frame(packet, algorithms_.auth_code_size);
  if (!frame || frame->kind != Frame::Kind::Authenticated || !frame->encrypted ||
      frame->session_id != console_session_) {
    return std::nullopt;
  }
  std::array<std::uint8_t, 32> code{};
  integrity_.compute({frame->signed_region}, code);
  if (!base::equal_constant_time(Bytes(code).first(algorithms_.auth_code_size), frame->auth_code)) return std::nullopt;
  // Only now: a forged packet must not move the window.
  if (!window_.accept(frame->sequence)) return std::nullopt;

  const auto body = frame->payload;
  if (body.size() < 2 * kBlock || body.size() % kBlock != 0) return std::nullopt;
  Opened out{.type = frame->type, .payload = std::vector<std::uint8_t>(body.size() - kBlock)};
  decrypt_.run(body.first<kBlock>(), body.subspan(kBlock), out.payload);
  const std::size_t pad = out.payload.back();
  if (pad >= kBlock || pad + 1 > out.payload.size()) return std::nullopt;
  out.payload.resize(out.payload.size() - pad - 1);
  return out;
}

Request Session::close_request() const {
  Request request{.net_fn = NetFn::App, .command = 0x3C, .name = "Close Session"};
  Writer(request.data).u32(bmc_session_);
  return request;
}

}  // namespace nimbus::ipmi
