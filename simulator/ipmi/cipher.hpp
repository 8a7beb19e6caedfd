// Cipher suites 3 and 17 and the key material of an RMCP+ session.
//
// Sources: IPMI 2.0 rev 1.1, sections 13.28 (algorithms), 13.29 (AES-CBC), 13.31 (RAKP
// computations), 13.32 (keys), table 22-20 (suites). Thread rule: one thread per object.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/crypto/crypto.hpp"
#include "simulator/ipmi/packet.hpp"

namespace nimbus::simulator::ipmi {

struct CipherSuite {
  std::uint8_t id;
  std::uint8_t authentication;   // 1: RAKP-HMAC-SHA1, 3: RAKP-HMAC-SHA256
  std::uint8_t integrity;        // 1: HMAC-SHA1-96, 4: HMAC-SHA256-128
  std::uint8_t confidentiality;  // 1: AES-CBC-128
  base::Hash hash;
  std::size_t code_size;  // of a packet, and of RAKP 4
};
inline constexpr CipherSuite kSuite3{3, 1, 1, 1, base::Hash::Sha1, 12};
inline constexpr CipherSuite kSuite17{17, 3, 4, 1, base::Hash::Sha256, 16};

/// What RAKP 1 and 2 agreed on.
struct Handshake {
  std::uint32_t console_session = 0;
  std::uint32_t bmc_session = 0;
  std::array<std::uint8_t, 16> console_random{};
  std::array<std::uint8_t, 16> bmc_random{};
  std::array<std::uint8_t, 16> guid{};
  std::uint8_t role = 0;  // the whole byte as the console sent it
  std::string user;
};

Buffer rakp2_code(const CipherSuite& suite, const Handshake& handshake, Bytes user_key);
Buffer rakp3_code(const CipherSuite& suite, const Handshake& handshake, Bytes user_key);
Buffer session_integrity_key(const CipherSuite& suite, const Handshake& handshake, Bytes bmc_or_user_key);
Buffer rakp4_code(const CipherSuite& suite, const Handshake& handshake, Bytes integrity_key);

/// Keys of an open session: signs, checks, encrypts and decrypts.
class SessionKeys {
 public:
  SessionKeys(const CipherSuite& suite, Bytes session_integrity_key);

  const CipherSuite& suite() const noexcept { return *suite_; }
  /// Appends the code over `packet` from the authentication type on.
  void sign(Buffer& packet);
  bool check(Bytes covered, Bytes code);
  Buffer encrypt(Bytes plain);
  /// Nothing if the length or the padding is wrong.
  std::optional<Buffer> decrypt(Bytes secret);

 private:
  const CipherSuite* suite_;
  base::Hmac integrity_;
  base::Aes128Cbc encrypt_;
  base::Aes128Cbc decrypt_;
};

}  // namespace nimbus::simulator::ipmi
