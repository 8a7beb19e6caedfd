#include "base/ssh_key/host_key.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>

#include "base/crypto/crypto.hpp"
#include "base/ssh_key/exchange.hpp"
#include "base/text/text.hpp"

using namespace nimbus;
using namespace nimbus::base;

namespace {

std::string u32(std::size_t value) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>((value >> shift) & 0xFFU));
  return out;
}
std::string text(std::string_view value) { return u32(value.size()).append(value); }
template <std::size_t N>
std::string bytes(const std::array<std::uint8_t, N>& value) {
  return {value.begin(), value.end()};
}
std::string packet(const std::string& payload, std::size_t padding = 0) {
  while (padding < 4 || (payload.size() + 5 + padding) % 8 != 0) ++padding;
  return u32(payload.size() + 1 + padding) + static_cast<char>(padding) + payload + std::string(padding, 'x');
}
std::size_t number(std::string_view from) {
  std::size_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8U | static_cast<unsigned char>(from[static_cast<std::size_t>(i)]);
  return value;
}

/// The other side, with switches.
struct Server {
  Ed25519Key key = make_ed25519_key();
  Ed25519Key signs_with = key;
  std::string line = "SSH-2.0-Test_1.0 with a comment";
  std::string exchanges = "sntrup761x25519-sha512@openssh.com,curve25519-sha256";
  std::string keys = "rsa-sha2-512,ssh-ed25519";
  X25519Bytes secret{1, 2, 3};

  std::string offer() const {
    std::string out = "\x14" + std::string(16, 'c') + text(exchanges) + text(keys);
    for (int i = 0; i < 8; ++i) out += text(i < 6 ? "none" : "");
    return out + std::string(5, '\0');
  }
  std::string greeting() const { return line + "\r\n" + packet(offer()); }
  /// The answer to all that the client sent.
  std::string proof(const std::string& sent) const {
    const auto line_end = sent.find("\r\n");
    const std::string client_line = sent.substr(0, line_end);
    std::string rest = sent.substr(line_end + 2);
    const auto payload = [&] {
      const std::size_t length = number(rest);
      const auto padding = static_cast<unsigned char>(rest[4]);
      std::string out = rest.substr(5, length - padding - 1);
      rest.erase(0, 4 + length);
      return out;
    };
    const std::string client_offer = payload();
    const std::string init = payload();
    REQUIRE(init.size() == 37);
    X25519Bytes theirs{};
    std::copy(init.begin() + 5, init.end(), theirs.begin());
    const auto agreed = x25519_shared(secret, theirs);
    REQUIRE(agreed);
    std::string shared = bytes(*agreed);
    shared.erase(0, std::min(shared.find_first_not_of('\0'), shared.size()));
    if ((static_cast<unsigned char>(shared.front()) & 0x80U) != 0) shared.insert(0, 1, '\0');
    const std::string blob = text("ssh-ed25519") + text(bytes(key.public_key));
    const std::string said = text(client_line) + text(line) + text(client_offer) + text(offer()) + text(blob) +
                             text(bytes(theirs)) + text(bytes(x25519_public(secret))) + text(shared);
    const std::string hash = bytes(sha256(said));
    const std::string signature = text("ssh-ed25519") + text(bytes(ed25519_sign(signs_with, hash)));
    return packet("\x1f" + text(blob) + text(bytes(x25519_public(secret))) + text(signature));
  }
};

HostKeyExchange new_exchange(std::uint8_t seed = 9) {
  X25519Bytes secret{};
  secret.fill(seed);
  return HostKeyExchange(secret, {});
}

}  // namespace

TEST_CASE("X25519: the agreement of RFC 7748, section 6.1") {
  const auto from = [](const char* hex) {
    const auto raw = from_hex(hex);
    REQUIRE(raw);
    X25519Bytes out{};
    std::copy(raw->begin(), raw->end(), out.begin());
    return out;
  };
  const auto alice_public = from("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
  const auto bob = from("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
  CHECK(x25519_public(bob) == from("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"));
  CHECK(x25519_shared(bob, alice_public) == from("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"));
  CHECK_FALSE(x25519_shared(bob, X25519Bytes{}));
}

TEST_CASE("host key: a server that signs what was said has proven its key, in any pieces") {
  for (std::uint8_t seed = 1; seed < 60; ++seed) {  // agreed keys that begin with zeros, or with a set bit
    Server server;
    auto exchange = new_exchange(seed);
    std::string sent = exchange.take_output();
    std::string answer = "Welcome to this machine\r\n" + server.greeting();
    for (const char byte : answer) {
      auto key = exchange.feed({&byte, 1});
      REQUIRE(key);
      CHECK_FALSE(*key);
    }
    sent += exchange.take_output();
    auto key = exchange.feed(packet("\x02"
                                    "a remark") +
                             server.proof(sent));
    REQUIRE(key);
    REQUIRE(*key);
    CHECK(**key == server.key.public_key);
  }
}

TEST_CASE("host key: what proves nothing is an error") {
  Server server;
  auto exchange = new_exchange();
  std::string sent = exchange.take_output();
  SUBCASE("a signature by another key") {
    server.signs_with = make_ed25519_key();
    REQUIRE(exchange.feed(server.greeting()));
    sent += exchange.take_output();
    CHECK(exchange.feed(server.proof(sent)).error().code == Code::Corrupt);
  }
  SUBCASE("a proof made for another connection") {
    auto other = new_exchange(77);
    std::string other_sent = other.take_output();
    REQUIRE(other.feed(server.greeting()));
    other_sent += other.take_output();
    REQUIRE(exchange.feed(server.greeting()));
    CHECK(exchange.feed(server.proof(other_sent)).error().code == Code::Corrupt);
  }
  SUBCASE("a proof before anything was offered") {
    CHECK(exchange.feed(server.line + "\r\n" + packet("\x1f" + std::string(40, 'x'))).error().code == Code::Corrupt);
  }
  SUBCASE("a cut proof") {
    REQUIRE(exchange.feed(server.greeting()));
    CHECK(exchange.feed(packet("\x1f" + text("ssh-ed25519"))).error().code == Code::Corrupt);
  }
  SUBCASE("no key of the kind") {
    server.keys = "rsa-sha2-512";
    CHECK(exchange.feed(server.greeting()).error().code == Code::Unsupported);
  }
  SUBCASE("no exchange of the kind") {
    server.exchanges = "diffie-hellman-group14-sha256";
    CHECK(exchange.feed(server.greeting()).error().code == Code::Unsupported);
  }
  SUBCASE("something else than SSH") {
    CHECK(exchange.feed("HTTP/1.1 400 Bad Request\r\n" + std::string(300, 'x')).error().code == Code::Corrupt);
  }
  SUBCASE("SSH 1") { CHECK(exchange.feed("SSH-1.5-old\n").error().code == Code::Corrupt); }
  SUBCASE("text without end") {
    Result<std::optional<Ed25519Public>> fed = std::optional<Ed25519Public>();
    for (int i = 0; i < 1000 && fed; ++i) fed = exchange.feed("blah blah blah\n");
    CHECK(fed.error().code == Code::Corrupt);
  }
  SUBCASE("packets without end") {
    REQUIRE(exchange.feed(server.greeting()));
    Result<std::optional<Ed25519Public>> fed = std::optional<Ed25519Public>();
    for (int i = 0; i < 100 && fed; ++i) fed = exchange.feed(packet("\x02"));
    CHECK(fed.error().code == Code::Corrupt);
  }
  SUBCASE("sizes that lie") {
    for (const std::size_t size : {0U, 5U, 11U, 40'000U, 0xFFFFFFFCU}) {
      auto each = new_exchange();
      CHECK(each.feed(server.line + "\r\n" + u32(size) + std::string(16, '\x05')).error().code == Code::Corrupt);
    }
    auto each = new_exchange();
    CHECK(each.feed(server.line + "\r\n" + u32(12) + std::string(12, '\xff')).error().code == Code::Corrupt);
  }
  SUBCASE("the end of the connection") {
    REQUIRE(exchange.feed(server.greeting()));
    CHECK(exchange.feed(packet("\x01" + u32(2) + text("go away"))).error().code == Code::Unreachable);
  }
}

TEST_CASE("host key: public keys as OpenSSH writes them") {
  const auto key = make_ed25519_key();
  CHECK(*parse_openssh_public(openssh_public(key.public_key, "root@m1")) == key.public_key);
  CHECK(*parse_openssh_public(openssh_public(key.public_key, "")) == key.public_key);
  for (const auto* bad : {"", "ssh-ed25519", "ssh-ed25519 AAAA", "ssh-rsa AAAAC3NzaC1lZDI1NTE5", "ssh-ed25519 %%%"}) {
    CHECK_FALSE(parse_openssh_public(bad));
  }
}
