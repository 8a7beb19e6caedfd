#include "base/crypto/crypto.hpp"

#include <memory>
#include <stdexcept>
#include <utility>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "base/text/text.hpp"

namespace nimbus::base {
namespace {

void require(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(std::string("libcrypto failed: ") + what);
}

const char* name_of(Hash hash) noexcept {
  switch (hash) {
    case Hash::Md5:
      return "MD5";
    case Hash::Sha1:
      return "SHA1";
    case Hash::Sha256:
      return "SHA256";
  }
  return "SHA256";
}

/// Fetched once: looking an algorithm up by name costs more than a short hash.
const EVP_MD* sha256_algorithm() {
  static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  require(algorithm != nullptr, "SHA256");
  return algorithm;
}

EVP_MAC* hmac_algorithm() {
  static EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  require(algorithm != nullptr, "HMAC");
  return algorithm;
}

const EVP_CIPHER* aes_algorithm() {
  static EVP_CIPHER* const algorithm = EVP_CIPHER_fetch(nullptr, "AES-128-CBC", nullptr);
  require(algorithm != nullptr, "AES-128-CBC");
  return algorithm;
}

EVP_MD_CTX* digest(void* p) noexcept { return static_cast<EVP_MD_CTX*>(p); }
EVP_MAC_CTX* mac(void* p) noexcept { return static_cast<EVP_MAC_CTX*>(p); }
EVP_CIPHER_CTX* cipher(void* p) noexcept { return static_cast<EVP_CIPHER_CTX*>(p); }

}  // namespace

std::size_t digest_size(Hash hash) noexcept {
  switch (hash) {
    case Hash::Md5:
      return 16;
    case Hash::Sha1:
      return 20;
    case Hash::Sha256:
      return 32;
  }
  return 32;
}

std::array<std::uint8_t, 32> sha256(std::string_view data) {
  std::array<std::uint8_t, 32> out{};
  unsigned int size = 0;
  require(EVP_Digest(data.data(), data.size(), out.data(), &size, sha256_algorithm(), nullptr) == 1, "digest");
  return out;
}

std::string sha256_hex(std::string_view data) { return to_hex(sha256(data)); }

std::array<std::uint8_t, 20> sha1(std::initializer_list<std::string_view> parts) {
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  require(context != nullptr && EVP_DigestInit_ex(context.get(), EVP_sha1(), nullptr) == 1, "init");
  for (const auto part : parts) require(EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1, "update");
  std::array<std::uint8_t, 20> out{};
  unsigned int size = 0;
  require(EVP_DigestFinal_ex(context.get(), out.data(), &size) == 1, "final");
  return out;
}

std::string sha1_hex(std::initializer_list<std::string_view> parts) { return to_hex(sha1(parts)); }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  require(context_ != nullptr && EVP_DigestInit_ex(digest(context_), sha256_algorithm(), nullptr) == 1, "init");
}

Sha256::~Sha256() { EVP_MD_CTX_free(digest(context_)); }

void Sha256::update(std::string_view data) {
  require(EVP_DigestUpdate(digest(context_), data.data(), data.size()) == 1, "update");
}

std::string Sha256::hex() {
  std::array<std::uint8_t, 32> out{};
  unsigned int size = 0;
  require(EVP_DigestFinal_ex(digest(context_), out.data(), &size) == 1, "final");
  return to_hex(out);
}

Hmac::Hmac(Hash hash, Bytes key) : context_(EVP_MAC_CTX_new(hmac_algorithm())), size_(digest_size(hash)) {
  require(context_ != nullptr, "mac");
  char algorithm[8] = {};
  std::string_view(name_of(hash)).copy(algorithm, sizeof algorithm - 1);
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, algorithm, 0),
                               OSSL_PARAM_construct_end()};
  static constexpr std::uint8_t kEmpty = 0;  // a null key pointer means "keep the old key"
  require(EVP_MAC_init(mac(context_), key.empty() ? &kEmpty : key.data(), key.size(), params) == 1, "mac init");
}

Hmac::~Hmac() { EVP_MAC_CTX_free(mac(context_)); }

Hmac::Hmac(Hmac&& other) noexcept : context_(std::exchange(other.context_, nullptr)), size_(other.size_) {}

Hmac& Hmac::operator=(Hmac&& other) noexcept {
  std::swap(context_, other.context_);
  std::swap(size_, other.size_);
  return *this;
}

std::size_t Hmac::compute(std::initializer_list<Bytes> parts, std::span<std::uint8_t> out) {
  require(EVP_MAC_init(mac(context_), nullptr, 0, nullptr) == 1, "mac restart");
  for (const auto part : parts) {
    if (!part.empty()) require(EVP_MAC_update(mac(context_), part.data(), part.size()) == 1, "mac update");
  }
  std::size_t written = 0;
  require(EVP_MAC_final(mac(context_), out.data(), &written, out.size()) == 1, "mac final");
  return written;
}

std::vector<std::uint8_t> hmac(Hash hash, Bytes key, std::initializer_list<Bytes> parts) {
  std::vector<std::uint8_t> out(digest_size(hash));
  Hmac(hash, key).compute(parts, out);
  return out;
}

Aes128Cbc::Aes128Cbc(Direction direction, std::span<const std::uint8_t, 16> key) : context_(EVP_CIPHER_CTX_new()) {
  require(context_ != nullptr, "cipher");
  require(EVP_CipherInit_ex2(cipher(context_), aes_algorithm(), key.data(), nullptr,
                             direction == Direction::Encrypt ? 1 : 0, nullptr) == 1,
          "cipher init");
  EVP_CIPHER_CTX_set_padding(cipher(context_), 0);
}

Aes128Cbc::~Aes128Cbc() { EVP_CIPHER_CTX_free(cipher(context_)); }

Aes128Cbc::Aes128Cbc(Aes128Cbc&& other) noexcept : context_(std::exchange(other.context_, nullptr)) {}

Aes128Cbc& Aes128Cbc::operator=(Aes128Cbc&& other) noexcept {
  std::swap(context_, other.context_);
  return *this;
}

void Aes128Cbc::run(std::span<const std::uint8_t, 16> iv, Bytes data, std::span<std::uint8_t> out) {
  require(data.size() % 16 == 0 && out.size() >= data.size(), "AES block size");
  require(EVP_CipherInit_ex2(cipher(context_), nullptr, nullptr, iv.data(), -1, nullptr) == 1, "cipher iv");
  int written = 0;
  require(EVP_CipherUpdate(cipher(context_), out.data(), &written, data.data(), static_cast<int>(data.size())) == 1,
          "cipher run");
}

void random_bytes(std::span<std::uint8_t> out) {
  require(RAND_bytes(out.data(), static_cast<int>(out.size())) == 1, "random");
}

std::uint64_t random_u64() {
  std::array<std::uint8_t, 8> bytes{};
  random_bytes(bytes);
  std::uint64_t value = 0;
  for (const auto byte : bytes) value = (value << 8U) | byte;
  return value;
}

bool equal_constant_time(Bytes a, Bytes b) noexcept {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace nimbus::base
