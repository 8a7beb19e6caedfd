// Ed25519 (RFC 8032): keys, signatures, and the two text forms that OpenSSH reads.
//
// Thread rule: plain values; the functions are safe from any thread. As the rest of
// this folder they throw only when the library itself is broken.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace nimbus::base {

using Ed25519Public = std::array<std::uint8_t, 32>;
using Ed25519Signature = std::array<std::uint8_t, 64>;

/// The private half is the 32-byte seed. Never print it.
struct Ed25519Key {
  std::array<std::uint8_t, 32> seed{};
  Ed25519Public public_key{};
};

Ed25519Key make_ed25519_key();
/// The key that belongs to a seed kept earlier.
Ed25519Key ed25519_key_of(const std::array<std::uint8_t, 32>& seed);

Ed25519Signature ed25519_sign(const Ed25519Key& key, std::string_view message);
bool ed25519_verify(const Ed25519Public& key, std::string_view message, const Ed25519Signature& signature);

/// "ssh-ed25519 AAAA… comment" (RFC 8709, section 4).
std::string openssh_public(const Ed25519Public& key, std::string_view comment);
/// The unencrypted private key file (OpenSSH, PROTOCOL.key, "openssh-key-v1").
std::string openssh_private(const Ed25519Key& key, std::string_view comment);

}  // namespace nimbus::base
