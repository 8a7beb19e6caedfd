#include "core/names.hpp"

#include <algorithm>
#include <cstddef>

namespace nimbus {

bool is_dns_label(std::string_view text) noexcept {
  constexpr std::size_t kMaxLabel = 63;
  const auto alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (text.empty() || text.size() > kMaxLabel) return false;
  if (!alphanumeric(text.front()) || !alphanumeric(text.back())) return false;
  return std::ranges::all_of(text, [&](char c) { return alphanumeric(c) || c == '-'; });
}

bool is_secret_name(std::string_view text) noexcept {
  constexpr std::size_t kMaxName = 200;
  if (text.size() > kMaxName) return false;
  while (true) {
    const auto slash = text.find('/');
    if (!is_dns_label(text.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    text.remove_prefix(slash + 1);
  }
}

}  // namespace nimbus
