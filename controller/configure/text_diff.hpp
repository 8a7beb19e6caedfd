// A unified diff of two texts, for people. Pure, bounded in time and size: beyond the bounds
// it says so instead.
#pragma once

#include <string>
#include <string_view>

namespace nimbus::controller {

/// What turns `found` into `declared`; empty: they are equal. Lines are printable and cut.
std::string text_diff(std::string_view found, std::string_view declared, std::string_view path);

}  // namespace nimbus::controller
