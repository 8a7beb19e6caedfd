// Which images leave the cache so that another one fits. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/time.hpp"

namespace nimbus::boot {

struct HeldImage {
  std::string sha256;
  std::int64_t bytes = 0;
  WallTime wanted{};   // the last time
  bool may_go = true;  // no run needs it, and it is not being fetched
};

/// Those wanted longest ago, until all that is held and `more` bytes fit into `most`;
/// nothing: that many cannot go.
std::optional<std::vector<std::string>> make_room(std::vector<HeldImage> held, std::int64_t more, std::int64_t most);

}  // namespace nimbus::boot
