// Quirks of the messages that set a session up, each against the polite answer. Between a
// quirk and the workaround of the same name stand ipmitool and FreeIPMI, in tests/peers.
#include <doctest/doctest.h>

#include <string>

#include "simulator/ipmi/responder.hpp"
#include "support.hpp"

using namespace nimbus::simulator;
using namespace nimbus::simulator::ipmi;
using nimbus::simulator::test::Bench;

namespace {

constexpr std::uint32_t kConsole = 0xa1b2c3d4;
constexpr std::size_t kHeader = 16;  // RMCP and the header of a session packet
constexpr std::size_t kLengthAt = 14;

Bytes payload_of(const Buffer& packet) { return Bytes(packet).subspan(kHeader); }

/// A client in the middle of its login with cipher suite 3.
struct Visitor {
  Bench bench;
  Responder responder;
  nimbus::base::SocketAddress peer;
  Handshake handshake;

  explicit Visitor(bool with, Quirk quirk) : bench(quirks(with, quirk)), responder(*bench.machine) {
    handshake.console_session = kConsole;
    handshake.console_random.fill(0x5a);
    handshake.role = 0x14;
    handshake.user = "admin";
  }
  static Quirks quirks(bool with, Quirk quirk) {
    Quirks out;
    out.set(quirk, with);
    return out;
  }
  Buffer ask(const Buffer& datagram) {
    Buffer answer;
    responder.receive(datagram, peer, [&](const auto&, Bytes out) { answer.assign(out.begin(), out.end()); });
    return answer;
  }
  Buffer open(std::uint8_t authentication = 1) {
    Buffer out{9, 4, 0, 0};
    put32(out, kConsole);
    out.insert(out.end(), {0, 0, 0, 8, authentication, 0, 0, 0, 1, 0, 0, 8, 1, 0, 0, 0, 2, 0, 0, 8, 1, 0, 0, 0});
    const Buffer answer = ask(build_rmcp_plus(Payload::OpenSessionRequest, out));
    if (answer.size() >= kHeader + 12) handshake.bmc_session = get32(payload_of(answer), 8);
    return answer;
  }
  Buffer rakp1(const std::string& name) {
    Buffer out{1, 0, 0, 0};
    put32(out, handshake.bmc_session);
    out.insert(out.end(), handshake.console_random.begin(), handshake.console_random.end());
    out.insert(out.end(), {handshake.role, 0, 0, static_cast<std::uint8_t>(name.size())});
    out.insert(out.end(), name.begin(), name.end());
    const Buffer answer = ask(build_rmcp_plus(Payload::Rakp1, out));
    if (answer.size() >= kHeader + 40) {
      std::copy_n(payload_of(answer).begin() + 8, 16, handshake.bmc_random.begin());
      std::copy_n(payload_of(answer).begin() + 24, 16, handshake.guid.begin());
    }
    return answer;
  }
  Buffer rakp3() {
    Buffer out{2, 0, 0, 0};
    put32(out, handshake.bmc_session);
    const Buffer code = rakp3_code(kSuite3, handshake, nimbus::base::as_bytes("secret12"));
    out.insert(out.end(), code.begin(), code.end());
    return ask(build_rmcp_plus(Payload::Rakp3, out));
  }
  /// Get Channel Authentication Capabilities, before any session.
  Buffer capabilities() {
    Buffer message{0x20, 0x18};
    message.push_back(checksum(message));
    message.insert(message.end(), {0x81, 0x04, 0x38, 0x8e, 0x04});
    message.push_back(checksum(Bytes(message).subspan(3)));
    return ask(build_rmcp_plus(Payload::Ipmi, message));
  }
};

}  // namespace

TEST_CASE("supermicro20: the length of RAKP 2 is one too large") {
  for (const bool with : {false, true}) {
    Visitor console(with, Quirk::Rakp2LengthTooLarge);
    console.open();
    const Buffer second = console.rakp1("admin");
    REQUIRE(second.size() > kHeader);
    CHECK(second[kLengthAt] == second.size() - kHeader + (with ? 1 : 0));
  }
}

TEST_CASE("integritycheckvalue: RAKP 4 has more bytes than its code") {
  for (const bool with : {false, true}) {
    Visitor console(with, Quirk::IntegrityValueTooLong);
    console.open();
    console.rakp1("admin");
    const Buffer fourth = console.rakp3();
    REQUIRE(fourth.size() > kHeader);
    CHECK(payload_of(fourth)[1] == 0);
    CHECK(payload_of(fourth).size() == 8u + 12u + (with ? 4u : 0u));
  }
}

TEST_CASE("sun20: refusals end after the status") {
  for (const bool with : {false, true}) {
    Visitor console(with, Quirk::ShortRefusals);
    const Buffer refusal = console.open(0);
    REQUIRE(refusal.size() > kHeader);
    CHECK(payload_of(refusal)[1] == 0x11);
    CHECK(payload_of(refusal).size() == (with ? 2u : 8u));
  }
}

TEST_CASE("intel20: user names must be padded to 16 bytes") {
  const std::string padded = std::string("admin") + std::string(11, '\0');
  for (const bool with : {false, true}) {
    Visitor console(with, Quirk::PaddedUserNames);
    console.open();
    CHECK(payload_of(console.rakp1("admin"))[1] == (with ? 0x0d : 0x00));
    Visitor another(with, Quirk::PaddedUserNames);
    another.open();
    CHECK(payload_of(another.rakp1(padded))[1] == (with ? 0x00 : 0x0d));
  }
}

TEST_CASE("authcap: the capabilities deny IPMI 2.0, which works") {
  for (const bool with : {false, true}) {
    Visitor console(with, Quirk::DeniesIpmi20);
    const Buffer answer = console.capabilities();
    REQUIRE(answer.size() > kHeader + 10);
    CHECK(payload_of(answer)[6] == 0x00);
    CHECK(payload_of(answer)[10] == (with ? 0x01 : 0x02));
    console.open();
    CHECK(payload_of(console.rakp1("admin"))[1] == 0x00);
  }
}

TEST_CASE("nochecksumcheck: the checksum of replies is wrong") {
  for (const bool with : {false, true}) {
    Visitor console(with, Quirk::WrongChecksums);
    const Buffer answer = console.capabilities();
    REQUIRE(answer.size() > kHeader + 10);
    const Bytes message = payload_of(answer);
    CHECK((checksum(message.subspan(3, message.size() - 4)) == message.back()) == !with);
  }
}
