// The documents of a status branch, which whoever may push there can write: reading
// them must never fail badly, and what was read must be written and read back equal.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "registry/status/controller_status.hpp"
#include "registry/status/machine_status.hpp"

namespace {

using namespace nimbus::registry;

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto machine = parse_machine_status(text, "m.toml")) {
    // What is written once is within the bounds, and stays as it is from then on.
    const auto written = to_text(*machine);
    const auto back = parse_machine_status(written, "m.toml");
    require(back.has_value());
    require(to_text(*back) == written);
  }
  if (const auto controller = parse_controller_status(text)) {
    const auto written = to_text(*controller);
    const auto back = parse_controller_status(written);
    require(back.has_value());
    require(to_text(*back) == written);
  }
  return 0;
}
