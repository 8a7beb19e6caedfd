#include "simulator/model/console.hpp"

#include <algorithm>

namespace nimbus::simulator {

void Console::print(std::string_view text) {
  kept_ += text;
  if (kept_.size() > 2 * kHistory) {
    const auto excess = kept_.size() - kHistory;
    kept_.erase(0, excess);
    start_ += excess;
  }
}

std::string_view Console::since(std::uint64_t position) const noexcept {
  const std::uint64_t from = std::clamp(position, start_, end());
  return std::string_view(kept_).substr(static_cast<std::size_t>(from - start_));
}

}  // namespace nimbus::simulator
