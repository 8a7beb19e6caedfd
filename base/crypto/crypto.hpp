// Hashes, message authentication, AES-CBC and random bytes on OpenSSL's
// libcrypto. Knows no protocol. Thread rule: safe from any thread.
//
// These primitives fail only when the library itself is broken or out of memory;
// then they throw std::runtime_error, which ends the program: nothing sensible can
// be done without them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nimbus::base {

using Bytes = std::span<const std::uint8_t>;

enum class Hash : std::uint8_t { Md5, Sha1, Sha256 };
std::size_t digest_size(Hash hash) noexcept;  // 16, 20, 32 bytes

std::array<std::uint8_t, 32> sha256(std::string_view data);
std::string sha256_hex(std::string_view data);
/// Of the parts one after the other. For Git's names and checksums, nothing else.
std::array<std::uint8_t, 20> sha1(std::initializer_list<std::string_view> parts);
std::string sha1_hex(std::initializer_list<std::string_view> parts);

/// A hash fed piece by piece.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void update(std::string_view data);
  /// Once; the object is used up.
  std::string hex();

 private:
  void* context_;
};

/// One key, many messages: the key is set up once (about 4 times cheaper than a
/// one-shot HMAC for short messages). Thread rule: one thread at a time.
class Hmac {
 public:
  Hmac(Hash hash, Bytes key);
  ~Hmac();
  Hmac(Hmac&& other) noexcept;
  Hmac& operator=(Hmac&& other) noexcept;
  /// Writes digest_size() bytes of the code of the concatenated `parts` to `out`
  /// and returns their number.
  std::size_t compute(std::initializer_list<Bytes> parts, std::span<std::uint8_t> out);

 private:
  void* context_ = nullptr;
  std::size_t size_ = 0;
};

std::vector<std::uint8_t> hmac(Hash hash, Bytes key, std::initializer_list<Bytes> parts);

/// AES-128-CBC without padding (the caller pads to 16 bytes). One key, many
/// messages. Thread rule: one thread at a time.
class Aes128Cbc {
 public:
  enum class Direction : std::uint8_t { Encrypt, Decrypt };
  Aes128Cbc(Direction direction, std::span<const std::uint8_t, 16> key);
  ~Aes128Cbc();
  Aes128Cbc(Aes128Cbc&& other) noexcept;
  Aes128Cbc& operator=(Aes128Cbc&& other) noexcept;
  /// `data` and `out` have the same length, a multiple of 16; they may be the same bytes.
  void run(std::span<const std::uint8_t, 16> iv, Bytes data, std::span<std::uint8_t> out);

 private:
  void* context_ = nullptr;
};

void random_bytes(std::span<std::uint8_t> out);
std::uint64_t random_u64();

/// Time taken does not depend on where the bytes differ.
bool equal_constant_time(Bytes a, Bytes b) noexcept;

inline Bytes as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace nimbus::base
