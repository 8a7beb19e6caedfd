#include "simulator/ipmi/cipher.hpp"

#include <algorithm>

namespace nimbus::simulator::ipmi {
namespace {

constexpr std::size_t kBlock = 16;
constexpr std::size_t kConstantSize = 20;
constexpr std::size_t kRmcpSize = 4;

std::array<std::uint8_t, 4> bytes_of(std::uint32_t value) {
  return {static_cast<std::uint8_t>(value), static_cast<std::uint8_t>(value >> 8),
          static_cast<std::uint8_t>(value >> 16), static_cast<std::uint8_t>(value >> 24)};
}

/// Section 13.32: K1 and K2 are the integrity key's code over a constant.
Buffer derive(const CipherSuite& suite, Bytes integrity_key, std::uint8_t constant) {
  std::array<std::uint8_t, kConstantSize> filled{};
  filled.fill(constant);
  return base::hmac(suite.hash, integrity_key, {Bytes(filled)});
}

std::span<const std::uint8_t, kBlock> aes_key(const Buffer& k2) { return Bytes(k2).first<kBlock>(); }

}  // namespace

Buffer rakp2_code(const CipherSuite& suite, const Handshake& h, Bytes user_key) {
  const auto console = bytes_of(h.console_session);
  const auto bmc = bytes_of(h.bmc_session);
  const std::array<std::uint8_t, 2> tail{h.role, static_cast<std::uint8_t>(h.user.size())};
  return base::hmac(suite.hash, user_key,
                    {console, bmc, h.console_random, h.bmc_random, h.guid, tail, base::as_bytes(h.user)});
}

Buffer rakp3_code(const CipherSuite& suite, const Handshake& h, Bytes user_key) {
  const auto console = bytes_of(h.console_session);
  const std::array<std::uint8_t, 2> tail{h.role, static_cast<std::uint8_t>(h.user.size())};
  return base::hmac(suite.hash, user_key, {h.bmc_random, console, tail, base::as_bytes(h.user)});
}

Buffer session_integrity_key(const CipherSuite& suite, const Handshake& h, Bytes key) {
  const std::array<std::uint8_t, 2> tail{h.role, static_cast<std::uint8_t>(h.user.size())};
  return base::hmac(suite.hash, key, {h.console_random, h.bmc_random, tail, base::as_bytes(h.user)});
}

Buffer rakp4_code(const CipherSuite& suite, const Handshake& h, Bytes integrity_key) {
  const auto bmc = bytes_of(h.bmc_session);
  Buffer code = base::hmac(suite.hash, integrity_key, {h.console_random, bmc, h.guid});
  code.resize(suite.code_size);
  return code;
}

SessionKeys::SessionKeys(const CipherSuite& suite, Bytes session_integrity_key)
    : suite_(&suite),
      integrity_(suite.hash, derive(suite, session_integrity_key, 0x01)),
      encrypt_(base::Aes128Cbc::Direction::Encrypt, aes_key(derive(suite, session_integrity_key, 0x02))),
      decrypt_(base::Aes128Cbc::Direction::Decrypt, aes_key(derive(suite, session_integrity_key, 0x02))) {}

void SessionKeys::sign(Buffer& packet) {
  std::array<std::uint8_t, 32> code{};
  integrity_.compute({Bytes(packet).subspan(kRmcpSize)}, code);
  packet.insert(packet.end(), code.begin(), code.begin() + static_cast<std::ptrdiff_t>(suite_->code_size));
}

bool SessionKeys::check(Bytes covered, Bytes code) {
  std::array<std::uint8_t, 32> expected{};
  integrity_.compute({covered}, expected);
  return base::equal_constant_time(Bytes(expected).first(suite_->code_size), code);
}

Buffer SessionKeys::encrypt(Bytes plain) {
  // Trailer: 1, 2, 3 … and how many of them (table 13-20).
  const std::size_t padding = (kBlock - (plain.size() + 1) % kBlock) % kBlock;
  Buffer out(kBlock + plain.size() + padding + 1);
  base::random_bytes(std::span(out).first(kBlock));
  std::copy(plain.begin(), plain.end(), out.begin() + kBlock);
  for (std::size_t i = 0; i < padding; ++i) out[kBlock + plain.size() + i] = static_cast<std::uint8_t>(i + 1);
  out.back() = static_cast<std::uint8_t>(padding);
  const auto body = std::span(out).subspan(kBlock);
  encrypt_.run(std::span<const std::uint8_t, kBlock>(out.data(), kBlock), body, body);
  return out;
}

std::optional<Buffer> SessionKeys::decrypt(Bytes secret) {
  if (secret.size() < 2 * kBlock || secret.size() % kBlock != 0) return std::nullopt;
  Buffer out(secret.begin() + kBlock, secret.end());
  decrypt_.run(secret.first<kBlock>(), out, out);
  const std::size_t padding = out.back();
  if (padding >= kBlock || padding + 1 > out.size()) return std::nullopt;
  for (std::size_t i = 0; i < padding; ++i) {
    if (out[out.size() - 1 - padding + i] != i + 1) return std::nullopt;
  }
  out.resize(out.size() - 1 - padding);
  return out;
}

}  // namespace nimbus::simulator::ipmi
