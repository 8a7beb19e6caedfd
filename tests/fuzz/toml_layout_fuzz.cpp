// nimbusctl fmt: whatever text comes, the layout is stable and means the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/toml/toml.hpp"
#include "cli/toml_layout.hpp"
#include "core/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto out = nimbus::cli::toml_layout(text);
  if (!out) {
    // Internal: the layout would have changed the meaning, which is a bug.
    if (out.error().code == nimbus::Code::Internal) std::abort();
    return 0;
  }
  const auto again = nimbus::cli::toml_layout(*out);
  if (!again || *again != *out) std::abort();
  return 0;
}
