// HostKeyExchange: the beginning of an SSH connection, as far as the server's proof that
// it has its host key. What comes after that (encryption, login) is not begun.
//
// RFC 4253 (transport), RFC 8731 (curve25519-sha256), RFC 8709 (ssh-ed25519). Nothing is
// secret here: the agreed key is used for nothing but the server's signature.
// Bytes in, bytes out, no sockets. Everything from the server is hostile: lines, packets
// and their number are limited. Thread rule: one thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/crypto/ed25519.hpp"
#include "base/crypto/x25519.hpp"
#include "core/result.hpp"

namespace nimbus::base {

class HostKeyExchange {
 public:
  /// `secret` and `cookie`: random, for this connection only.
  HostKeyExchange(const X25519Bytes& secret, const std::array<std::uint8_t, 16>& cookie);

  /// What is to be sent now; taken once.
  std::string take_output();

  /// Bytes from the server, in any pieces. The key that it has proven to have, once it has.
  /// Errors: Corrupt (no SSH, or a proof that is none), Unsupported (it offers no
  /// curve25519-sha256 with an ssh-ed25519 key), Unreachable (it ended the connection).
  Result<std::optional<Ed25519Public>> feed(std::string_view bytes);

 private:
  Result<bool> read_greeting();
  Result<std::optional<std::string>> next_packet();
  Result<> read_offer(const std::string& payload);
  Result<Ed25519Public> read_proof(const std::string& payload) const;
  void send_packet(std::string_view payload);

  const X25519Bytes secret_;
  const X25519Bytes public_;
  std::string my_offer_;     // payload of our KEXINIT
  std::string their_line_;   // version, without line end; empty: not yet
  std::string their_offer_;  // payload of their KEXINIT; empty: not yet
  std::string input_, output_;
  std::size_t greeting_bytes_ = 0;
  int packets_ = 0;
};

}  // namespace nimbus::base
