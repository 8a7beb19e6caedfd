// Small text tools that the standard library lacks. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nimbus::base {

/// `text` fit for one line on a terminal or in a log: control characters
/// (also C1, DEL and line ends) and invalid UTF-8 become \n, \t, \xHH; longer
/// than `limit` bytes is cut and ends in "…".
std::string printable(std::string_view text, std::size_t limit = 1024);

bool is_valid_utf8(std::string_view text) noexcept;
/// Each byte that belongs to no valid sequence becomes U+FFFD.
std::string repaired_utf8(std::string_view text);

std::string to_hex(std::span<const std::uint8_t> bytes);
std::optional<std::vector<std::uint8_t>> from_hex(std::string_view hex);

std::string to_base64(std::span<const std::uint8_t> bytes);
/// Standard alphabet with padding; nothing else is accepted.
std::optional<std::vector<std::uint8_t>> from_base64(std::string_view text);

/// The one of `candidates` that `word` is most likely meant to be, or nothing:
/// at most a third of its letters differ (edit distance with transpositions).
std::optional<std::string> did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

std::vector<std::string_view> split(std::string_view text, char separator);
std::string_view trim(std::string_view text) noexcept;
std::string to_lower(std::string_view text);
bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept;

}  // namespace nimbus::base
