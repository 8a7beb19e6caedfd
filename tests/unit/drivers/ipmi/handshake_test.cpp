#include "drivers/ipmi/handshake.hpp"

#include <doctest/doctest.h>

#include "drivers/ipmi/session.hpp"
#include "fake_bmc.hpp"

using namespace nimbus;
using namespace nimbus::ipmi;
using test::Data;
using test::FakeBmc;

namespace {

Login login_for(int suite) {
  return {.suite = static_cast<CipherSuite>(suite), .username = "admin", .password = Secret("secret12")};
}

Nonce fixed_nonce() {
  Nonce nonce{.session = 0x01020304, .tag = 7};
  nonce.random.fill(0xA5);
  return nonce;
}

/// Plays the handshake to its end.
Handshake::Event play(Handshake& handshake, FakeBmc& bmc) {
  for (int i = 0; i < 8; ++i) {
    const auto answer = bmc.receive(handshake.packet());
    if (!answer) return Handshake::Event::Ignored;
    const auto event = handshake.receive(*answer);
    if (event != Handshake::Event::Advanced) return event;
  }
  return Handshake::Event::Ignored;
}

Error failure_of(const Login& login, FakeBmc::Settings settings) {
  FakeBmc bmc(std::move(settings));
  Handshake handshake(login, fixed_nonce());
  REQUIRE(play(handshake, bmc) == Handshake::Event::Failed);
  CHECK(handshake.step() == Handshake::Step::Failed);
  CHECK(handshake.receive({}) == Handshake::Event::Ignored);
  return handshake.failure();
}

}  // namespace

TEST_CASE("a session opens with both suites, and both sides have the same keys") {
  for (const int suite : {3, 17}) {
    CAPTURE(suite);
    FakeBmc bmc({.suite = suite});
    const auto login = login_for(suite);
    Handshake handshake(login, fixed_nonce());
    REQUIRE(play(handshake, bmc) == Handshake::Event::Done);
    CHECK(handshake.exchange().bmc_guid == test::kFakeGuid);
    Session session(handshake.exchange(), handshake.keys(), Checksums::Verify);
    bmc.on(0x06, 0x01, [](const Data&) { return Data{0x00, 0x20}; });
    const auto answer = bmc.receive(session.seal(PayloadType::IpmiMessage, encode_request({.command = 0x01}, 9)));
    REQUIRE(answer);
    const auto opened = session.open(*answer);
    REQUIRE(opened);
    const auto reply = parse_reply(opened->payload, Checksums::Verify);
    REQUIRE(reply);
    CHECK(answers(*reply, {.command = 0x01}, 9));
    CHECK(reply->data.size() == 1);
  }
}

TEST_CASE("a BMC key is used where there is one") {
  auto login = login_for(17);
  login.k_g = Secret("0123456789abcdefghij");
  FakeBmc bmc({.k_g = "0123456789abcdefghij", .says_k_g = true});
  Handshake handshake(login, fixed_nonce());
  CHECK(play(handshake, bmc) == Handshake::Event::Done);
  const auto missing = failure_of(login_for(17), {.k_g = "other", .says_k_g = true});
  CHECK(missing.code == Code::Auth);
  CHECK(missing.message.find("the credential has none") != std::string::npos);
  CHECK(failure_of(login, {.k_g = "other"}).message.find("wrong K_g") != std::string::npos);
}

TEST_CASE("passwords of 20 bytes, user names of 16, and none") {
  for (const std::string name : {"", "abcdefghijklmnop"}) {
    FakeBmc bmc({.password = "01234567890123456789"});
    auto login = login_for(17);
    login.username = name;
    login.password = Secret("01234567890123456789");
    Handshake handshake(login, fixed_nonce());
    CHECK(play(handshake, bmc) == Handshake::Event::Done);
  }
}

TEST_CASE("every refusal has its cause") {
  const auto login = login_for(17);
  CHECK(failure_of(login, {.rmcp_plus = false}).code == Code::Unsupported);
  CHECK(failure_of(login, {.open_status = 0x01}).code == Code::Busy);
  for (const auto status : Data{0x04, 0x05, 0x10, 0x11}) {
    const auto error = failure_of(login, {.open_status = status});
    CHECK(error.code == Code::Unsupported);
    CHECK(error.message.find("cipher suite 17") != std::string::npos);
  }
  CHECK(failure_of(login, {.open_status = 0x09}).code == Code::Auth);
  CHECK(failure_of(login, {.open_status = 0x7F}).code == Code::Corrupt);
  CHECK(failure_of(login, {.rakp2_status = 0x0D}).message.find("unknown user") != std::string::npos);
  CHECK(failure_of(login, {.rakp2_status = 0x0A}).code == Code::Auth);
  CHECK(failure_of(login, {.password = "other"}).message == "wrong password");
  CHECK(failure_of(login, {.rakp4_status = 0x0F}).code == Code::Auth);
  CHECK(failure_of(login, {.rakp4_status = 0x01}).code == Code::Busy);
}

TEST_CASE("a BMC that answers with a weaker suite is refused") {
  CHECK(failure_of(login_for(17), {.answer_suite = 3}).code == Code::Unsupported);
}

TEST_CASE("deviations that are tolerated for every BMC") {
  const auto works = [](FakeBmc::Settings settings, const Login& login) {
    FakeBmc bmc(std::move(settings));
    Handshake handshake(login, fixed_nonce());
    return play(handshake, bmc) == Handshake::Event::Done;
  };
  CHECK(works({.says_privilege_zero = true}, login_for(17)));  // opensesspriv
  CHECK(works({.rakp4_tail = {1, 2, 3, 4}}, login_for(17)));   // integritycheckvalue
  CHECK(works({.suite = 3, .rakp4_tail = Data(8, 0)}, login_for(3)));
  CHECK(works({.rakp2_length_error = 1}, login_for(17)));                                               // supermicro20
  CHECK(failure_of(login_for(17), {.rakp2_status = 0x0D, .short_refusals = true}).code == Code::Auth);  // sun20
  auto authcap = login_for(17);
  authcap.quirks = make_quirks({"authcap"}).value();
  CHECK(works({.rmcp_plus = false}, authcap));
  auto padded = login_for(17);
  padded.quirks = make_quirks({"intel20"}).value();
  CHECK(works({}, padded));
}

TEST_CASE("replies that cannot be ours are ignored, at every step") {
  FakeBmc bmc({});
  const auto login = login_for(17);
  Handshake handshake(login, fixed_nonce());
  for (int step = 0; step < 4; ++step) {
    const auto good = bmc.receive(handshake.packet());
    REQUIRE(good);
    const auto before = handshake.step();
    for (std::size_t size = 0; size < good->size(); ++size) {  // cut short
      auto cut = *good;
      cut.resize(size);
      if (before == Handshake::Step::Rakp1 || before == Handshake::Step::Rakp3) break;  // the code decides there
      CHECK(handshake.receive(cut) == Handshake::Event::Ignored);
    }
    auto other_tag = *good;
    other_tag[step == 0 ? 18 : 16] ^= 0x04;
    CHECK(handshake.receive(other_tag) == Handshake::Event::Ignored);
    if (step > 0) {
      auto other_session = *good;
      other_session[20] ^= 0x01;
      CHECK(handshake.receive(other_session) == Handshake::Event::Ignored);
      auto other_type = *good;
      other_type[5] = 0x16;
      CHECK(handshake.receive(other_type) == Handshake::Event::Ignored);
    }
    CHECK(handshake.receive(Data(2000, 0)) == Handshake::Event::Ignored);
    CHECK(handshake.step() == before);
    REQUIRE(handshake.receive(*good) == (step == 3 ? Handshake::Event::Done : Handshake::Event::Advanced));
    CHECK(handshake.receive(*good) == Handshake::Event::Ignored);  // a duplicate, or late
  }
}

TEST_CASE("any changed byte of the key exchange ends without keys or is ignored") {
  for (const int at_step : {2, 3}) {  // RAKP 2, RAKP 4
    for (std::size_t byte = 16; byte < 120; ++byte) {
      FakeBmc bmc({});
      const auto login = login_for(17);
      Handshake handshake(login, fixed_nonce());
      auto event = Handshake::Event::Advanced;
      for (int step = 0; step < at_step; ++step) event = handshake.receive(*bmc.receive(handshake.packet()));
      auto answer = *bmc.receive(handshake.packet());
      if (byte >= answer.size()) break;
      if (byte == 18 || byte == 19) continue;  // reserved bytes, which nothing covers
      answer[byte] ^= 0x10;
      event = handshake.receive(answer);
      const bool harmless = event == Handshake::Event::Failed || event == Handshake::Event::Ignored;
      CHECK_MESSAGE(harmless, "step ", at_step, " byte ", byte);
    }
  }
}

TEST_CASE("failures and messages never hold the password") {
  const auto error = failure_of(login_for(17), {.password = "other"});
  CHECK(error.text().find("secret12") == std::string::npos);
}

TEST_CASE("quirks are looked up by the names that operators know") {
  CHECK(make_quirks({"opensesspriv", "supermicro20", "integritycheckvalue"}).value() == Quirks{});
  CHECK(make_quirks({"IP-01"}).value().spacing.count() > 0);
  CHECK(make_quirks({"nochecksumcheck"}).value().checksums == Checksums::Ignore);
  const auto unknown = make_quirks({"supermicr20"});
  REQUIRE(!unknown);
  CHECK(unknown.error().code == Code::Invalid);
  CHECK(unknown.error().message.find("supermicro20") != std::string::npos);
  for (const auto& quirk : quirk_table()) CHECK(make_quirks({std::string(quirk.id)}));
}
