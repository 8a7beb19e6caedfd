// Packets inside a session. The first byte chooses the suite and what the input
// is: a packet as it comes, or a message that is sealed as the BMC would do it, so
// that what lies behind the authentication code is reached as well.
#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "base/crypto/crypto.hpp"
#include "drivers/ipmi/session.hpp"

using namespace nimbus::ipmi;

namespace {

constexpr std::uint32_t kSession = 0x01020304;

SessionKeys fixed_keys(CipherSuite suite) {
  SessionKeys keys;
  keys.integrity.fill(1);
  keys.encryption.fill(2);
  keys.size = nimbus::base::digest_size(algorithms_of(suite).hash);
  return keys;
}

/// Encrypts `text` (cut to whole blocks; its last byte says the padding) and signs it.
Packet seal(Bytes text, CipherSuite suite) {
  std::vector<std::uint8_t> body(16, 0x33);
  body.insert(body.end(), text.begin(), text.begin() + static_cast<std::ptrdiff_t>(text.size() / 16 * 16));
  std::array<std::uint8_t, 16> key{};
  key.fill(2);
  const auto blocks = std::span<std::uint8_t>(body).subspan(16);
  nimbus::base::Aes128Cbc(nimbus::base::Aes128Cbc::Direction::Encrypt, key)
      .run(std::span<const std::uint8_t>(body).first<16>(), blocks, blocks);
  Packet packet = encode_authenticated(PayloadType::IpmiMessage, kSession, 1, body);
  const auto keys = fixed_keys(suite);
  const auto algorithms = algorithms_of(suite);
  const auto code =
      nimbus::base::hmac(algorithms.hash, Bytes(keys.integrity).first(keys.size), {Bytes(packet).subspan(kSignedFrom)});
  packet.insert(packet.end(), code.begin(), code.begin() + static_cast<std::ptrdiff_t>(algorithms.auth_code_size));
  return packet;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const auto suite = (data[0] & 1U) != 0 ? CipherSuite::Suite17 : CipherSuite::Suite3;
  const Bytes rest(data + 1, size - 1);
  const Exchange exchange{.suite = suite, .console_session = kSession, .bmc_session = 5};
  Session session(exchange, fixed_keys(suite), Checksums::Verify);
  const bool sealed = (data[0] & 2U) != 0;
  const auto opened = sealed ? session.open(seal(rest, suite)) : session.open(rest);
  if (opened) {
    const auto checksums = (data[0] & 4U) != 0 ? Checksums::Ignore : Checksums::Verify;
    const auto reply = parse_reply(opened->payload, checksums);
    if (reply && reply->data.size() + 8 != opened->payload.size()) __builtin_trap();
    // The same packet never opens twice.
    if (sealed ? session.open(seal(rest, suite)).has_value() : session.open(rest).has_value()) __builtin_trap();
  }
  return 0;
}
