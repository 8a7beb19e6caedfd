#include "base/crypto/crypto.hpp"

#include <doctest/doctest.h>

#include "base/text/text.hpp"

using namespace nimbus::base;

TEST_CASE("SHA-256: FIPS 180-2 examples, whole and piecewise") {
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256 pieces;
  pieces.update("a");
  pieces.update("bc");
  CHECK(pieces.hex() == sha256_hex("abc"));
}

TEST_CASE("HMAC: RFC 2202 case 2 and RFC 4231 case 2; a kept key gives the same") {
  const auto key = as_bytes("Jefe");
  const std::string_view text = "what do ya want for nothing?";
  CHECK(to_hex(hmac(Hash::Sha1, key, {as_bytes(text)})) == "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  CHECK(to_hex(hmac(Hash::Md5, key, {as_bytes(text)})) == "750c783e6ab0b503eaa86e310a5db738");
  Hmac kept(Hash::Sha256, key);
  for (int round = 0; round < 2; ++round) {
    std::array<std::uint8_t, 32> out{};
    CHECK(kept.compute({as_bytes(text.substr(0, 5)), as_bytes(text.substr(5))}, out) == 32);
    CHECK(to_hex(out) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  }
  CHECK(hmac(Hash::Sha1, {}, {as_bytes("")}).size() == 20);
}

TEST_CASE("AES-128-CBC: NIST SP 800-38A F.2.1, in place and back") {
  const auto key = *from_hex("2b7e151628aed2a6abf7158809cf4f3c");
  const auto iv = *from_hex("000102030405060708090a0b0c0d0e0f");
  const auto plain = *from_hex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51");
  auto data = plain;
  const std::span<const std::uint8_t, 16> k(key.data(), 16);
  const std::span<const std::uint8_t, 16> v(iv.data(), 16);
  Aes128Cbc encrypt(Aes128Cbc::Direction::Encrypt, k);
  encrypt.run(v, data, data);
  CHECK(to_hex(data) == "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2");
  Aes128Cbc decrypt(Aes128Cbc::Direction::Decrypt, k);
  decrypt.run(v, data, data);
  CHECK(data == plain);
}

TEST_CASE("constant-time comparison") {
  CHECK(equal_constant_time(as_bytes("abc"), as_bytes("abc")));
  CHECK(!equal_constant_time(as_bytes("abc"), as_bytes("abd")));
  CHECK(!equal_constant_time(as_bytes("abc"), as_bytes("ab")));
}
