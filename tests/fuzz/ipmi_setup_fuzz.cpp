// Every reply before a session, in any order: the input is a list of packets, each
// behind its length (one byte). The first byte chooses the cipher suite.
#include <cstdint>
#include <span>
#include <string>

#include "drivers/ipmi/handshake.hpp"

using namespace nimbus::ipmi;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  Login login{.suite = (data[0] & 1U) != 0 ? CipherSuite::Suite17 : CipherSuite::Suite3, .username = "admin"};
  if ((data[0] & 2U) != 0) login.quirks.checksums = Checksums::Ignore;
  Nonce nonce{.session = 0x01020304, .tag = 7};
  Handshake handshake(login, nonce);
  Bytes rest(data + 1, size - 1);
  while (!rest.empty()) {
    const std::size_t length = rest[0];
    const auto packet = rest.subspan(1, std::min(length, rest.size() - 1));
    const auto before = handshake.step();
    const auto event = handshake.receive(packet);
    // Without the right codes there is no session, whatever comes.
    if (event == Handshake::Event::Ignored && handshake.step() != before) __builtin_trap();
    if (event == Handshake::Event::Advanced && handshake.packet().empty()) __builtin_trap();
    if (event == Handshake::Event::Failed && handshake.failure().message.empty()) __builtin_trap();
    rest = rest.subspan(1 + packet.size());
  }
  return 0;
}
