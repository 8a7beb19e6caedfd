// Any bytes: parse, write, parse again gives the same tree.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/json/json.hpp"

using namespace nimbus::base;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)parse_json(text, {.depth = 8, .values = 100, .duplicates = DuplicateKeys::KeepFirst});
  const auto json = parse_json(text);
  if (!json) return 0;
  const auto again = parse_json(json->text());
  if (!again || again->text() != json->text()) std::abort();
  const auto pretty = parse_json(json->text(JsonStyle::Pretty));
  if (!pretty || pretty->text() != json->text()) std::abort();
  return 0;
}
