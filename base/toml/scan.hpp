// A look at TOML text before the parser sees it. Internal to base/toml.
#pragma once

#include <optional>
#include <string_view>

#include "base/toml/toml.hpp"

namespace nimbus::base::toml {

/// The first key with more than kMaxDotsInKey dots outside strings and comments.
/// Understands all four kinds of strings; stops at nothing, so it needs no valid text.
std::optional<SyntaxError> find_overlong_key(std::string_view text);

}  // namespace nimbus::base::toml
