// Any bytes as an event stream of a BMC, cut at any places: what comes of it does not
// depend on the cuts, and its memory is bounded.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/http/event_parser.hpp"

using nimbus::base::EventParser;

namespace {

std::vector<std::string> parse(std::string_view bytes, std::size_t piece) {
  std::vector<std::string> out;
  EventParser parser;
  while (!bytes.empty()) {
    parser.feed(bytes.substr(0, piece), [&](std::string_view data) {
      if (data.size() > EventParser::kMostKept) std::abort();
      out.emplace_back(data);
    });
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = parse(bytes, bytes.size() + 1);
  if (parse(bytes, 1U + data[0]) != whole) std::abort();
  return 0;
}
