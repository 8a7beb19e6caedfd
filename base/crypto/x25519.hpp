// X25519 (RFC 7748): a key that two sides agree on, each from its own half.
//
// Thread rule: plain values; the functions are safe from any thread. As the rest of
// this folder they throw only when the library itself is broken.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

namespace nimbus::base {

using X25519Bytes = std::array<std::uint8_t, 32>;

/// The public half of a private one, which is 32 random bytes.
X25519Bytes x25519_public(const X25519Bytes& secret);
/// Nothing if `theirs` is a point that gives the same key to everybody (RFC 7748, section 6.1).
std::optional<X25519Bytes> x25519_shared(const X25519Bytes& secret, const X25519Bytes& theirs);

}  // namespace nimbus::base
