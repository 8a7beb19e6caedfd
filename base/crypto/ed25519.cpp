#include "base/crypto/ed25519.hpp"

#include <openssl/evp.h>

#include <memory>
#include <stdexcept>

#include "base/crypto/crypto.hpp"
#include "base/text/text.hpp"

namespace nimbus::base {
namespace {

struct KeyFree {
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};
struct ContextFree {
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};
using KeyHandle = std::unique_ptr<EVP_PKEY, KeyFree>;
using ContextHandle = std::unique_ptr<EVP_MD_CTX, ContextFree>;

[[noreturn]] void broken(const char* what) { throw std::runtime_error(std::string("libcrypto: ") + what); }

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

void put_u32(std::string& out, std::size_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>((value >> shift) & 0xFFU));
}
void put_string(std::string& out, std::string_view text) {
  put_u32(out, text.size());
  out.append(text);
}
template <std::size_t N>
std::string_view view(const std::array<std::uint8_t, N>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string public_blob(const Ed25519Public& key) {
  std::string blob;
  put_string(blob, "ssh-ed25519");
  put_string(blob, view(key));
  return blob;
}

}  // namespace

Ed25519Key ed25519_key_of(const std::array<std::uint8_t, 32>& seed) {
  const KeyHandle key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()));
  Ed25519Key out{.seed = seed, .public_key = {}};
  std::size_t size = out.public_key.size();
  if (!key || EVP_PKEY_get_raw_public_key(key.get(), out.public_key.data(), &size) != 1 ||
      size != out.public_key.size()) {
    broken("no Ed25519 key");
  }
  return out;
}

Ed25519Key make_ed25519_key() {
  std::array<std::uint8_t, 32> seed{};
  random_bytes(seed);
  return ed25519_key_of(seed);
}

Ed25519Signature ed25519_sign(const Ed25519Key& key, std::string_view message) {
  const KeyHandle handle(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, key.seed.data(), key.seed.size()));
  const ContextHandle context(EVP_MD_CTX_new());
  Ed25519Signature signature{};
  std::size_t size = signature.size();
  if (!handle || !context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, handle.get()) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &size, bytes_of(message), message.size()) != 1 ||
      size != signature.size()) {
    broken("cannot sign");
  }
  return signature;
}

bool ed25519_verify(const Ed25519Public& key, std::string_view message, const Ed25519Signature& signature) {
  const KeyHandle handle(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()));
  const ContextHandle context(EVP_MD_CTX_new());
  if (!handle || !context || EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, handle.get()) != 1) {
    return false;
  }
  return EVP_DigestVerify(context.get(), signature.data(), signature.size(), bytes_of(message), message.size()) == 1;
}

std::string openssh_public(const Ed25519Public& key, std::string_view comment) {
  std::string line = "ssh-ed25519 " + to_base64(as_bytes(public_blob(key)));
  if (!comment.empty()) line.append(" ").append(comment);
  return line;
}

std::string openssh_private(const Ed25519Key& key, std::string_view comment) {
  std::string secret;
  const auto check = static_cast<std::uint32_t>(random_u64());
  put_u32(secret, check);
  put_u32(secret, check);
  put_string(secret, "ssh-ed25519");
  put_string(secret, view(key.public_key));
  put_string(secret, std::string(view(key.seed)).append(view(key.public_key)));
  put_string(secret, comment);
  constexpr std::size_t kBlock = 8;  // of the cipher "none"
  for (char pad = 1; secret.size() % kBlock != 0; ++pad) secret.push_back(pad);

  std::string blob("openssh-key-v1\0", 15);
  put_string(blob, "none");
  put_string(blob, "none");
  put_string(blob, "");
  put_u32(blob, 1);
  put_string(blob, public_blob(key.public_key));
  put_string(blob, secret);

  constexpr std::size_t kLine = 70;
  const std::string text = to_base64(as_bytes(blob));
  std::string file = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
  for (std::size_t at = 0; at < text.size(); at += kLine) file.append(text, at, kLine).append("\n");
  return file + "-----END OPENSSH PRIVATE KEY-----\n";
}

}  // namespace nimbus::base
