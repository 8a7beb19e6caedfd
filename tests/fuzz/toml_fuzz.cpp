// The TOML wrapper: never fails badly; what was read is written and read back equal;
// every span lies inside the text.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/toml/toml.hpp"
#include "base/toml/write.hpp"

namespace {

using namespace nimbus::base;

void require(bool holds) {
  if (!holds) std::abort();
}

void check(const toml::Table& table, std::size_t size) {
  for (const auto& member : table.members()) {
    require(member.key_span.begin.offset <= size && member.key_span.end.offset <= size);
    require(member.value.span().begin.offset <= size && member.value.span().end.offset <= size);
    if (const auto* inner = member.value.table()) check(*inner, size);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto table = toml::parse(text);
  if (!table) {
    require(!table.error().message.empty() && table.error().at.line > 0);
    return 0;
  }
  check(*table, size);
  const auto written = toml::write(*table);
  const auto back = toml::parse(written);
  // Escapes may make the canonical text larger than the cap.
  if (written.size() <= toml::kMaxText) require(back.has_value() && *back == *table);
  return 0;
}
