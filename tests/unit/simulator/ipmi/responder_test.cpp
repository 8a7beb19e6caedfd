// What the command-line tools cannot show: broken packets, repeated ones, limits. That
// honest clients succeed is tested with ipmitool and FreeIPMI in tests/peers.
#include <doctest/doctest.h>

#include "simulator/ipmi/responder.hpp"
#include "support.hpp"

using namespace nimbus::simulator;
using namespace nimbus::simulator::ipmi;
using nimbus::simulator::test::Bench;
using namespace std::chrono_literals;

namespace {

struct Wire {
  Bench bench;
  Responder responder;
  nimbus::base::SocketAddress peer;
  std::vector<Buffer> sent;

  explicit Wire(Quirks quirks = {}) : bench(quirks), responder(*bench.machine) {}
  void send(const Buffer& datagram) {
    responder.receive(datagram, peer, [this](const auto&, Bytes out) { sent.emplace_back(out.begin(), out.end()); });
  }
  Buffer ask(const Buffer& datagram) {
    sent.clear();
    send(datagram);
    return sent.empty() ? Buffer{} : sent.front();
  }
};

constexpr std::uint32_t kConsole = 0xa1b2c3d4;

Buffer open_request(std::uint8_t auth, std::uint8_t integrity, std::uint8_t confidentiality,
                    std::uint8_t privilege = 4) {
  Buffer out{9, privilege, 0, 0};
  put32(out, kConsole);
  out.insert(out.end(),
             {0, 0, 0, 8, auth, 0, 0, 0, 1, 0, 0, 8, integrity, 0, 0, 0, 2, 0, 0, 8, confidentiality, 0, 0, 0});
  return build_rmcp_plus(Payload::OpenSessionRequest, out);
}

Bytes payload_of(const Buffer& packet) { return Bytes(packet).subspan(16); }

/// A whole login; the keys let the test speak in the session.
struct Login {
  Handshake handshake;
  std::optional<SessionKeys> keys;
  std::uint32_t sequence = 0;

  Login(Wire& wire, const CipherSuite& suite, const std::string& user = "admin",
        const std::string& password = "secret12", std::uint8_t role = 0x14) {
    const Buffer opened = wire.ask(open_request(suite.authentication, suite.integrity, suite.confidentiality));
    REQUIRE(opened.size() >= 28);
    REQUIRE(payload_of(opened)[1] == 0);
    handshake.console_session = kConsole;
    handshake.bmc_session = get32(payload_of(opened), 8);
    handshake.console_random.fill(0x5a);
    handshake.role = role;
    handshake.user = user;
    const Buffer second = wire.ask(rakp1());
    REQUIRE(payload_of(second)[1] == 0);
    std::copy_n(payload_of(second).begin() + 8, 16, handshake.bmc_random.begin());
    std::copy_n(payload_of(second).begin() + 24, 16, handshake.guid.begin());
    const Bytes key = nimbus::base::as_bytes(password);
    const Buffer expected = rakp2_code(suite, handshake, key);
    CHECK(std::equal(expected.begin(), expected.end(), payload_of(second).begin() + 40));
    fourth = wire.ask(rakp3(rakp3_code(suite, handshake, key)));
    if (!fourth.empty() && payload_of(fourth)[1] == 0)
      keys.emplace(suite, session_integrity_key(suite, handshake, key));
  }
  Buffer rakp1() const {
    Buffer out{1, 0, 0, 0};
    put32(out, handshake.bmc_session);
    out.insert(out.end(), handshake.console_random.begin(), handshake.console_random.end());
    out.insert(out.end(), {handshake.role, 0, 0, static_cast<std::uint8_t>(handshake.user.size())});
    out.insert(out.end(), handshake.user.begin(), handshake.user.end());
    return build_rmcp_plus(Payload::Rakp1, out);
  }
  Buffer rakp3(const Buffer& code) const {
    Buffer out{2, 0, 0, 0};
    put32(out, handshake.bmc_session);
    out.insert(out.end(), code.begin(), code.end());
    return build_rmcp_plus(Payload::Rakp3, out);
  }
  Buffer packet(std::uint8_t net_fn, std::uint8_t command, Buffer data, std::uint8_t request_sequence) {
    Buffer message{0x20, static_cast<std::uint8_t>(net_fn << 2)};
    message.push_back(checksum(message));
    message.insert(message.end(), {0x81, static_cast<std::uint8_t>(request_sequence << 2), command});
    message.insert(message.end(), data.begin(), data.end());
    message.push_back(checksum(Bytes(message).subspan(3)));
    Buffer out =
        build_session_packet(Payload::Ipmi, true, true, handshake.bmc_session, ++sequence, keys->encrypt(message));
    keys->sign(out);
    return out;
  }
  /// Completion code and data of an answer.
  Buffer read(const Buffer& packet) {
    auto frame = parse_frame(packet);
    REQUIRE(frame.has_value());
    REQUIRE(split_code(*frame, keys->suite().code_size));
    REQUIRE(keys->check(frame->covered, frame->code));
    CHECK(frame->session == kConsole);
    const auto plain = keys->decrypt(frame->payload);
    REQUIRE(plain.has_value());
    return {plain->begin() + 6, plain->end() - 1};
  }
  Buffer call(Wire& wire, std::uint8_t net_fn, std::uint8_t command, Buffer data = {}) {
    const Buffer answer = wire.ask(packet(net_fn, command, std::move(data), ++requests));
    return answer.empty() ? Buffer{} : read(answer);
  }
  Buffer fourth;
  std::uint8_t requests = 0;
};

}  // namespace

TEST_CASE("both suites log in, and what is in a session is signed and encrypted") {
  for (const CipherSuite* suite : {&kSuite3, &kSuite17}) {
    Wire wire;
    Login login(wire, *suite);
    REQUIRE(login.keys.has_value());
    CHECK(login.call(wire, 0x00, 0x01)[0] == 0x00);
    CHECK(login.call(wire, 0x06, 0x3b, {4}) == Buffer{0x00, 4});
  }
}

TEST_CASE("suite 0 and unknown algorithms are refused") {
  Wire wire;
  CHECK(payload_of(wire.ask(open_request(0, 0, 0)))[1] == 0x11);
  CHECK(payload_of(wire.ask(open_request(1, 1, 0)))[1] == 0x11);
  CHECK(payload_of(wire.ask(open_request(3, 1, 1)))[1] == 0x11);
  CHECK(wire.responder.session_count() == 0);
}

TEST_CASE("wrong password, unknown user, too much privilege") {
  Wire wire;
  const Login wrong(wire, kSuite17, "guest", "guest", 0x12);
  CHECK(wrong.keys.has_value());
  const Buffer opened = wire.ask(open_request(3, 4, 1));
  Handshake h;
  const std::uint32_t id = get32(payload_of(opened), 8);
  const auto rakp1 = [&](std::uint8_t role, const std::string& name, std::uint32_t session) {
    Buffer out{1, 0, 0, 0};
    put32(out, session);
    out.insert(out.end(), 16, 0x11);
    out.insert(out.end(), {role, 0, 0, static_cast<std::uint8_t>(name.size())});
    out.insert(out.end(), name.begin(), name.end());
    return build_rmcp_plus(Payload::Rakp1, out);
  };
  CHECK(payload_of(wire.ask(rakp1(0x14, "nobody", id)))[1] == 0x0d);
  CHECK(payload_of(wire.ask(rakp1(0x14, "admin", id)))[1] == 0x02);  // the session went with the refusal
  const std::uint32_t next = get32(payload_of(wire.ask(open_request(3, 4, 1))), 8);
  CHECK(payload_of(wire.ask(rakp1(0x14, "guest", next)))[1] == 0x0a);
  const std::uint32_t third = get32(payload_of(wire.ask(open_request(3, 4, 1))), 8);
  REQUIRE(payload_of(wire.ask(rakp1(0x14, "admin", third)))[1] == 0);
  Buffer bad{2, 0, 0, 0};
  put32(bad, third);
  bad.insert(bad.end(), 32, 0x00);
  CHECK(payload_of(wire.ask(build_rmcp_plus(Payload::Rakp3, bad)))[1] == 0x0f);
}

TEST_CASE("privilege is checked for each command") {
  Wire wire;
  Login login(wire, kSuite17, "guest", "guest", 0x12);
  CHECK(login.call(wire, 0x00, 0x01)[0] == 0x00);
  CHECK(login.call(wire, 0x00, 0x02, {1})[0] == 0xd4);
  CHECK(login.call(wire, 0x06, 0x3b, {4})[0] == 0x81);
  CHECK(wire.bench.machine->power() == Power::Off);
}

TEST_CASE("a repeated packet is dropped, a repeated command is answered once more and done once") {
  Wire wire;
  Login login(wire, kSuite17);
  login.call(wire, 0x06, 0x3b, {4});
  login.call(wire, 0x00, 0x02, {1});
  wire.bench.after(1s * 25);
  const Buffer cycle = login.packet(0x00, 0x02, {3}, 50);
  CHECK(login.read(wire.ask(cycle))[0] == 0x00);
  CHECK(wire.ask(cycle).empty());  // the same sequence number
  CHECK(login.read(wire.ask(login.packet(0x00, 0x02, {3}, 50)))[0] == 0x00);
  const auto& entries = wire.bench.machine->journal.entries();
  CHECK(std::count_if(entries.begin(), entries.end(), [](const auto& e) { return e.what == "host-reset"; }) == 1);
}

TEST_CASE("a changed bit anywhere in a session packet makes it void") {
  Wire wire;
  Login login(wire, kSuite3);
  const Buffer good = login.packet(0x00, 0x01, {}, 1);
  for (std::size_t i = 4; i < good.size(); ++i) {
    Buffer bad = good;
    bad[i] ^= 0x10;
    CAPTURE(i);
    CHECK(wire.ask(bad).empty());
  }
  CHECK_FALSE(wire.ask(good).empty());
}

TEST_CASE("session slots run out, idle sessions make room") {
  Wire wire;
  for (std::size_t i = 0; i < Sessions::kSlots; ++i) REQUIRE(payload_of(wire.ask(open_request(1, 1, 1)))[1] == 0);
  CHECK(payload_of(wire.ask(open_request(1, 1, 1)))[1] == 0x01);
  wire.bench.after(11s);
  CHECK(payload_of(wire.ask(open_request(1, 1, 1)))[1] == 0);
}

TEST_CASE("a restart of the BMC ends sessions and is silent meanwhile") {
  Wire wire;
  Login login(wire, kSuite17);
  wire.bench.machine->restart_bmc(Source::Control, 5s);
  CHECK(login.call(wire, 0x00, 0x01).empty());
  wire.bench.after(5s);
  CHECK(login.call(wire, 0x00, 0x01).empty());
  const Login again(wire, kSuite17);
  CHECK(again.keys.has_value());
}

TEST_CASE("boot flags are kept bit by bit, and lose validity after 60 s") {
  Wire wire;
  Login login(wire, kSuite17);
  login.call(wire, 0x06, 0x3b, {4});
  CHECK(login.call(wire, 0x00, 0x08, {5, 0xa0, 0x84, 0x53, 0x08, 0x11})[0] == 0x00);
  CHECK(login.call(wire, 0x00, 0x09, {5, 0, 0}) == Buffer{0, 1, 5, 0xa0, 0x84, 0x53, 0x08, 0x11});
  for (int i = 0; i < 3; ++i) {
    wire.bench.after(30s);
    login.call(wire, 0x00, 0x01);
  }
  CHECK(login.call(wire, 0x00, 0x09, {5, 0, 0})[3] == 0x20);
  CHECK(login.call(wire, 0x00, 0x08, {3, 0x08})[0] == 0x00);
  CHECK(login.call(wire, 0x00, 0x08, {5, 0xe0, 0x04, 0, 0, 0})[0] == 0x00);
  for (int i = 0; i < 3; ++i) {
    wire.bench.after(30s);
    login.call(wire, 0x00, 0x01);
  }
  CHECK(login.call(wire, 0x00, 0x09, {5, 0, 0})[3] == 0xe0);
  CHECK(login.call(wire, 0x00, 0x08, {99})[0] == 0x80);
  CHECK(login.call(wire, 0x00, 0x08, {5, 0x80})[0] == 0xc7);
}

TEST_CASE("quirks of the session layer") {
  Quirks quirks;
  quirks.set(Quirk::NoSuite17);
  quirks.set(Quirk::DuplicatesReplies);
  quirks.set(Quirk::GrantsPrivilegeZero);
  Wire wire(quirks);
  CHECK(payload_of(wire.ask(open_request(3, 4, 1)))[1] == 0x11);
  CHECK(payload_of(wire.ask(open_request(1, 1, 1, 0)))[2] == 0);
  CHECK(wire.sent.size() == 2);
}

TEST_CASE("quirks of commands") {
  Quirks quirks;
  quirks.set(Quirk::NoFlagTimeoutControl);
  quirks.set(Quirk::DiskIsCode24);
  quirks.set(Quirk::ResetsBeforeAnswering);
  Wire wire(quirks);
  Login login(wire, kSuite17);
  login.call(wire, 0x06, 0x3b, {4});
  CHECK(login.call(wire, 0x00, 0x08, {3, 0x08})[0] == 0x80);
  CHECK(login.call(wire, 0x00, 0x08, {5, 0xa0, 0x24, 0, 0, 0})[0] == 0x00);
  CHECK(wire.bench.machine->boot_override().device == BootDevice::Disk);
  CHECK(login.call(wire, 0x06, 0x02).empty());
  CHECK_FALSE(wire.bench.machine->bmc_up());

  Quirks hides;
  hides.set(Quirk::HidesFlagsValid);
  Wire other(hides);
  Login reader(other, kSuite17);
  reader.call(other, 0x06, 0x3b, {4});
  CHECK(reader.call(other, 0x00, 0x08, {5, 0xe0, 0x04, 0, 0, 0})[0] == 0x00);
  CHECK(reader.call(other, 0x00, 0x09, {5, 0, 0})[3] == 0x60);
  CHECK(other.bench.machine->boot_override().enabled == BootEnabled::Continuous);

  Quirks hurry;
  hurry.set(Quirk::BusyWhenHurried);
  hurry.set(Quirk::ThreeSessions);
  Wire slow(hurry);
  Login patient(slow, kSuite17);
  slow.bench.after(1s);
  CHECK(patient.call(slow, 0x00, 0x01)[0] == 0x00);
  CHECK(patient.call(slow, 0x00, 0x01)[0] == 0xc0);
  slow.bench.after(1s);
  CHECK(patient.call(slow, 0x00, 0x01)[0] == 0x00);
  CHECK(payload_of(slow.ask(open_request(1, 1, 1)))[1] == 0x00);
  CHECK(payload_of(slow.ask(open_request(1, 1, 1)))[1] == 0x00);
  CHECK(payload_of(slow.ask(open_request(1, 1, 1)))[1] == 0x01);
}

TEST_CASE("what a fault script interferes with") {
  Wire wire;
  Login login(wire, kSuite17);
  login.call(wire, 0x06, 0x3b, {4});
  wire.responder.interfere({.lie = true});
  CHECK(login.call(wire, 0x00, 0x02, {1})[0] == 0x00);
  CHECK(wire.bench.machine->power() == Power::Off);
  wire.responder.interfere({.stale = true});
  CHECK(login.call(wire, 0x00, 0x01)[1] == 0x20);
  wire.responder.interfere({.completion_code = 0xff});
  CHECK(login.call(wire, 0x00, 0x01)[0] == 0xff);
  wire.responder.interfere({.no_sessions = true});
  CHECK(payload_of(wire.ask(open_request(1, 1, 1)))[1] == 0x01);
}

TEST_CASE("the sequence window takes each number once, in any order within 32") {
  SequenceWindow window;
  CHECK_FALSE(window.accept(0));
  CHECK(window.accept(1));
  CHECK(window.accept(40));
  CHECK_FALSE(window.accept(40));
  CHECK(window.accept(39));
  CHECK_FALSE(window.accept(39));
  CHECK(window.accept(9));
  CHECK_FALSE(window.accept(8));
  CHECK(window.accept(0xffffffff));
}

TEST_CASE("console output is repeated until acknowledged, and input arrives once") {
  Wire wire;
  Login login(wire, kSuite17);
  Machine& machine = *wire.bench.machine;
  machine.request_power(PowerRequest::On, Source::Control);
  wire.bench.after(30s);
  REQUIRE(login.call(wire, 0x06, 0x48, {1, 1, 0, 0, 0, 0}).size() == 13);
  machine.console.print("hello");
  const auto poll = [&] {
    wire.sent.clear();
    wire.responder.poll([&](const auto&, Bytes out) { wire.sent.emplace_back(out.begin(), out.end()); });
    return wire.sent.size();
  };
  const auto sol_of = [&](const Buffer& packet) {
    auto frame = parse_frame(packet);
    REQUIRE(split_code(*frame, 16));
    return *login.keys->decrypt(frame->payload);
  };
  const auto send_sol = [&](Buffer payload) {
    Buffer out = build_session_packet(Payload::Sol, true, true, login.handshake.bmc_session, ++login.sequence,
                                      login.keys->encrypt(payload));
    login.keys->sign(out);
    return wire.ask(out);
  };
  REQUIRE(poll() == 1);
  const Buffer first = sol_of(wire.sent[0]);
  CHECK(std::string(first.begin() + 4, first.end()) == "hello");
  CHECK(poll() == 0);
  wire.bench.after(600ms);
  REQUIRE(poll() == 1);
  CHECK(sol_of(wire.sent[0]) == first);
  send_sol({0, first[0], 5, 0});
  wire.bench.after(600ms);
  CHECK(poll() == 0);
  const auto before = machine.console.end();
  CHECK(sol_of(send_sol({1, 0, 0, 0, 'x'}))[1] == 1);
  send_sol({1, 0, 0, 0, 'x'});
  CHECK(machine.console.since(before) == "x");
}
