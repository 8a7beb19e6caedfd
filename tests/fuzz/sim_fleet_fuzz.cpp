// The simulator's files: a fleet file, a script of faults, and a fault as JSON. Any bytes;
// what is accepted is built into machines.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "simulator/fleet/build_machine.hpp"
#include "simulator/fleet/fleet_file.hpp"

using namespace nimbus::simulator;

namespace {

class StillClock final : public nimbus::Clock {
 public:
  nimbus::MonoTime now() const noexcept override { return {}; }
  nimbus::WallTime wall() const noexcept override { return {}; }
};

constexpr std::size_t kMostBuilt = 20;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const StillClock clock;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto fleet = parse_fleet(text, "f")) {
    std::size_t built = 0;
    for (const auto& machine : fleet->machines) {
      if (++built > kMostBuilt) break;
      static_cast<void>(build_machine(machine, fleet->seed, clock));
      if (machine.qemu) static_cast<void>(qemu_arguments(*machine.qemu, {.serial = machine.serial}, {}));
    }
  }
  static_cast<void>(parse_fault_script(text, "s"));
  if (const auto json = nimbus::base::parse_json(text, {.bytes = 65'536, .depth = 16, .values = 1000}))
    static_cast<void>(parse_fault(*json));
  return 0;
}
