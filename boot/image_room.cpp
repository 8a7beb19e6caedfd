#include "boot/image_room.hpp"

#include <algorithm>

namespace nimbus::boot {

std::optional<std::vector<std::string>> make_room(std::vector<HeldImage> held, std::int64_t more, std::int64_t most) {
  std::int64_t total = more;
  for (const auto& image : held) total += image.bytes;
  std::sort(held.begin(), held.end(), [](const auto& a, const auto& b) {
    return a.wanted != b.wanted ? a.wanted < b.wanted : a.sha256 < b.sha256;
  });
  std::vector<std::string> go;
  for (const auto& image : held) {
    if (total <= most) break;
    if (!image.may_go) continue;
    total -= image.bytes;
    go.push_back(image.sha256);
  }
  if (total > most) return std::nullopt;
  return go;
}

}  // namespace nimbus::boot
