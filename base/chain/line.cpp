#include "base/chain/line.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "base/crypto/crypto.hpp"
#include "base/file/file.hpp"

namespace nimbus::base::chain {
namespace {

constexpr std::string_view kHash = ",\"hash\":\"";
constexpr std::size_t kHexDigits = 64;
constexpr std::string_view kStart = "chain-";
constexpr std::string_view kEnd = ".jsonl";

bool is_hash(std::string_view text) {
  return text.size() == kHexDigits &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_file_name(std::string_view name) {
  if (!name.starts_with(kStart) || !name.ends_with(kEnd) || name.size() != file_name(0).size()) return false;
  const auto digits = name.substr(kStart.size(), name.size() - kStart.size() - kEnd.size());
  return std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Line make_line(const ChainHead& before, const Json& members) {
  Json json = Json::object({{"seq", before.seq + 1}});
  for (const auto& member : members.members()) json.set(member.key, member.value);
  json.set("prev", before.seq == 0 ? kFirstPrevious : std::string_view(before.hash));
  const std::string body = json.text();
  const std::string hash = sha256_hex(body);
  return {.text = body.substr(0, body.size() - 1) + std::string(kHash) + hash + "\"}", .head = {before.seq + 1, hash}};
}

std::optional<ParsedLine> parse_line(std::string_view text, std::string& why) {
  const std::size_t tail = kHash.size() + kHexDigits + 2;
  why = "not a line of the chain";
  if (text.size() <= tail || text.size() > kMostLineBytes || !text.ends_with("\"}")) return std::nullopt;
  const std::string_view end = text.substr(text.size() - tail);
  const std::string_view hash = end.substr(kHash.size(), kHexDigits);
  if (!end.starts_with(kHash) || !is_hash(hash)) return std::nullopt;
  const std::string body = std::string(text.substr(0, text.size() - tail)) + "}";
  auto json = parse_json(body);
  if (!json) return std::nullopt;
  const auto seq = (*json)["seq"].as_int();
  const auto previous = (*json)["prev"].as_string();
  if (!seq || *seq < 1 || !previous || !is_hash(*previous)) return std::nullopt;
  why = "its text does not match its hash";
  if (sha256_hex(body) != hash) return std::nullopt;
  return ParsedLine{{static_cast<std::uint64_t>(*seq), std::string(hash)}, std::string(*previous), std::move(*json)};
}

std::string file_name(std::uint64_t first) { return fmt::format("{}{:012}{}", kStart, first, kEnd); }

Result<std::vector<std::string>> file_names(const std::string& folder) {
  auto entries = list_folder(folder);
  if (!entries) return std::move(entries.error());
  std::vector<std::string> names;
  for (const auto& entry : *entries) {
    if (is_file_name(entry.name)) names.push_back(entry.name);
  }
  return names;  // sorted, and the digits make that their order
}

}  // namespace nimbus::base::chain
