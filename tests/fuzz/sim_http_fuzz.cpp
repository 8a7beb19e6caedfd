// The simulator's HTTP side: any bytes, in two pieces; what parses is answered by the
// Redfish service as a request of its administrator.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "simulator/http/message.hpp"
#include "simulator/redfish/service.hpp"

using namespace nimbus::simulator;

namespace {

class StillClock final : public nimbus::Clock {
 public:
  nimbus::MonoTime now() const noexcept override { return {}; }
  nimbus::WallTime wall() const noexcept override { return {}; }
};

const StillClock still_clock;

MachineSetup setup(std::uint8_t choice) {
  static const auto hardware = std::make_shared<const Hardware>(generic_server());
  const auto profiles = vendor_profiles();
  MachineSetup out{.hardware = hardware, .quirks = quirks_of(profiles[choice % profiles.size()])};
  out.identity.name = "m";
  out.identity.macs = {{}, {}};
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::size_t cut = text.empty() ? 0 : data[1] % (text.size() + 1);
  http::RequestParser parser;
  parser.feed(text.substr(0, cut));
  if (parser.state() != http::RequestParser::State::Broken) parser.feed(text.substr(cut));
  Machine machine(setup(data[0]), still_clock);
  *machine.accounts.slot(2) = {
      .name = "a", .password = nimbus::Secret("p"), .privilege = Privilege::Administrator, .enabled = true};
  machine.media = {{"1", "Disk", {"USBStick"}}, {"2", "Disc", {"CD"}}};
  redfish::Service service(machine);
  while (parser.state() == http::RequestParser::State::Complete) {
    http::Request request = parser.take();
    std::erase_if(request.headers,
                  [](const http::Header& h) { return h.first == "authorization" || h.first == "x-auth-token"; });
    request.headers.emplace_back("authorization", "Basic YTpw");
    const auto response = service.answer(request);
    if (http::render(response, request).empty()) __builtin_trap();
    static_cast<void>(service.take_deliveries());
  }
  return 0;
}
