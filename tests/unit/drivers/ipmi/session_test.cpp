#include "drivers/ipmi/session.hpp"

#include <doctest/doctest.h>

#include "drivers/ipmi/handshake.hpp"
#include "fake_bmc.hpp"

using namespace nimbus;
using namespace nimbus::ipmi;
using test::Data;
using test::FakeBmc;

namespace {

struct Pair {
  FakeBmc bmc;
  Session session;

  explicit Pair(int suite) : bmc({.suite = suite}), session(make(bmc, suite)) {}

  static Session make(FakeBmc& bmc, int suite) {
    const Login login{.suite = static_cast<CipherSuite>(suite), .username = "admin", .password = Secret("secret12")};
    Handshake handshake(login, Nonce::make());
    while (handshake.step() != Handshake::Step::Done) {
      const auto answer = bmc.receive(handshake.packet());
      REQUIRE(answer);
      const auto event = handshake.receive(*answer);
      REQUIRE(event != Handshake::Event::Failed);
    }
    return {handshake.exchange(), handshake.keys(), Checksums::Verify};
  }
};

}  // namespace

TEST_CASE("the sequence window takes each number once") {
  SequenceWindow window;
  CHECK_FALSE(window.accept(0));
  CHECK(window.accept(100));
  CHECK_FALSE(window.accept(100));
  CHECK(window.accept(102));
  CHECK(window.accept(101));
  CHECK_FALSE(window.accept(101));
  CHECK(window.accept(71));  // 31 behind
  CHECK_FALSE(window.accept(70));
  CHECK(window.accept(5000));
  CHECK_FALSE(window.accept(102));
  CHECK(window.accept(4999));
  CHECK_FALSE(window.accept(4999));
}

TEST_CASE("the sequence window goes on when the counter wraps") {
  SequenceWindow window;
  CHECK(window.accept(0xFFFFFFFEU));
  CHECK(window.accept(0xFFFFFFFFU));
  CHECK(window.accept(1));
  CHECK_FALSE(window.accept(0xFFFFFFFFU));
  CHECK_FALSE(window.accept(1));
}

TEST_CASE("messages of every length survive sealing and opening") {
  for (const int suite : {3, 17}) {
    Pair pair(suite);
    std::uint32_t sequence = 1;
    for (std::size_t size = 0; size < 100; ++size) {
      Data message(size, 0);
      for (std::size_t i = 0; i < size; ++i) message[i] = static_cast<std::uint8_t>(i * 7 + size);
      const auto opened = pair.session.open(pair.bmc.seal(message, sequence++));
      REQUIRE(opened);
      CHECK(opened->payload == message);
    }
  }
}

TEST_CASE("no changed, cut or lengthened packet opens") {
  for (const int suite : {3, 17}) {
    Pair pair(suite);
    const auto good = pair.bmc.seal(FakeBmc::reply_message(0x07, 1, 0x01, {0, 1, 2, 3}), 1);
    for (std::size_t byte = 4; byte < good.size(); ++byte) {
      for (const unsigned bit : {0U, 3U, 7U}) {
        auto bad = good;
        bad[byte] ^= static_cast<std::uint8_t>(1U << bit);
        CHECK_MESSAGE(!pair.session.open(bad), "byte ", byte);
      }
    }
    for (std::size_t size = 0; size < good.size(); ++size) {
      CHECK(!pair.session.open(Bytes(good).first(size)));
    }
    auto longer = good;
    longer.push_back(0);
    CHECK(!pair.session.open(longer));
    // None of these moved the window: the good one still opens, once.
    CHECK(pair.session.open(good));
    CHECK(!pair.session.open(good));
  }
}

TEST_CASE("what is not signed and encrypted does not open") {
  Pair pair(17);
  const auto message = FakeBmc::reply_message(0x07, 1, 0x01, {0});
  CHECK(!pair.session.open(encode_setup(PayloadType::IpmiMessage, message)));
  CHECK(!pair.session.open(encode_sessionless(message)));
  CHECK(pair.session.open(pair.bmc.seal(message, 1)));
}

TEST_CASE("sending counts session sequence numbers up, also for repetitions") {
  Pair pair(17);
  pair.bmc.on(0x06, 0x01, [](const Data&) { return Data{0x00}; });
  const auto message = encode_request({.command = 0x01}, 1);
  for (int i = 0; i < 3; ++i) CHECK(pair.bmc.receive(pair.session.seal(PayloadType::IpmiMessage, message)));
  CHECK(pair.bmc.sequences_seen() == std::vector<std::uint32_t>{1, 2, 3});
}

TEST_CASE("the same message is never the same packet") {
  Pair pair(3);
  const auto message = encode_request({.command = 0x01}, 1);
  CHECK(pair.session.seal(PayloadType::IpmiMessage, message) != pair.session.seal(PayloadType::IpmiMessage, message));
}
