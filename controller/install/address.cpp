#include "controller/install/address.hpp"

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace nimbus::controller {
namespace {

std::optional<std::uint32_t> number_of(std::string_view text) {
  std::uint32_t value = 0;
  for (int part = 0; part < 4; ++part) {
    unsigned byte = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), byte);
    if (error != std::errc() || byte > 255) return std::nullopt;
    value = value << 8U | byte;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (part < 3 && (text.empty() || text.front() != '.')) return std::nullopt;
    if (part < 3) text.remove_prefix(1);
  }
  return text.empty() ? std::optional(value) : std::nullopt;
}

std::string text_of(std::uint32_t value) {
  return std::to_string(value >> 24U) + "." + std::to_string(value >> 16U & 0xFFU) + "." +
         std::to_string(value >> 8U & 0xFFU) + "." + std::to_string(value & 0xFFU);
}

}  // namespace

std::string free_address(const Network& network, const std::set<std::string>& taken) {
  if (network.range.size() != 2) return {};
  const auto first = number_of(network.range[0]);
  const auto last = number_of(network.range[1]);
  if (!first || !last || *last < *first) return {};
  constexpr std::uint32_t kMost = 65'536;
  for (std::uint32_t i = 0; i <= *last - *first && i < kMost; ++i) {
    if (auto text = text_of(*first + i); !taken.contains(text)) return text;
  }
  return {};
}

}  // namespace nimbus::controller
