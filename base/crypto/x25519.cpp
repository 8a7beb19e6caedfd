#include "base/crypto/x25519.hpp"

#include <openssl/evp.h>

#include <memory>
#include <stdexcept>

namespace nimbus::base {
namespace {

struct KeyFree {
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};
struct ContextFree {
  void operator()(EVP_PKEY_CTX* context) const noexcept { EVP_PKEY_CTX_free(context); }
};
using KeyHandle = std::unique_ptr<EVP_PKEY, KeyFree>;

KeyHandle private_key(const X25519Bytes& secret) {
  KeyHandle key(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, secret.data(), secret.size()));
  if (!key) throw std::runtime_error("libcrypto: no X25519 key");
  return key;
}

}  // namespace

X25519Bytes x25519_public(const X25519Bytes& secret) {
  const KeyHandle key = private_key(secret);
  X25519Bytes out{};
  std::size_t size = out.size();
  if (EVP_PKEY_get_raw_public_key(key.get(), out.data(), &size) != 1 || size != out.size()) {
    throw std::runtime_error("libcrypto: no X25519 public key");
  }
  return out;
}

std::optional<X25519Bytes> x25519_shared(const X25519Bytes& secret, const X25519Bytes& theirs) {
  const KeyHandle mine = private_key(secret);
  const KeyHandle peer(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, theirs.data(), theirs.size()));
  const std::unique_ptr<EVP_PKEY_CTX, ContextFree> context(EVP_PKEY_CTX_new(mine.get(), nullptr));
  if (!peer || !context || EVP_PKEY_derive_init(context.get()) != 1) {
    throw std::runtime_error("libcrypto: no X25519 agreement");
  }
  X25519Bytes out{};
  std::size_t size = out.size();
  if (EVP_PKEY_derive_set_peer(context.get(), peer.get()) != 1 ||
      EVP_PKEY_derive(context.get(), out.data(), &size) != 1 || size != out.size()) {
    return std::nullopt;  // the library refuses an agreed key of zeros
  }
  return out;
}

}  // namespace nimbus::base
