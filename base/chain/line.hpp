// One line of a chain, made and taken apart. Inside of base/chain only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/chain/chain.hpp"

namespace nimbus::base::chain {

inline constexpr std::string_view kFirstPrevious = "0000000000000000000000000000000000000000000000000000000000000000";
inline constexpr std::size_t kMostLineBytes = 64 * 1024;
inline constexpr std::size_t kMostFileBytes = std::size_t{256} << 20U;

struct Line {
  std::string text;  // without the line end
  ChainHead head;
};
Line make_line(const ChainHead& before, const Json& members);

struct ParsedLine {
  ChainHead head;
  std::string previous;
  Json json;
};
/// Nothing if it is no line of a chain or its own hash is not right; `why` says what.
std::optional<ParsedLine> parse_line(std::string_view text, std::string& why);

/// "chain-000000000042.jsonl".
std::string file_name(std::uint64_t first);
/// Names of the chain's files, oldest first.
Result<std::vector<std::string>> file_names(const std::string& folder);

}  // namespace nimbus::base::chain
