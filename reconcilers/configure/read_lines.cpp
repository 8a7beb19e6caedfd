#include "reconcilers/configure/read_lines.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace nimbus::reconcilers::configure {
namespace {

constexpr std::size_t kMostFields = 1000, kMostWords = 20, kDigest = 64;

bool hex_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

bool octal(char c) { return c >= '0' && c <= '7'; }

}  // namespace

std::vector<std::string_view> split(std::string_view line, char separator) {
  std::vector<std::string_view> out;
  while (out.size() + 1 < kMostFields) {
    const auto at = line.find(separator);
    if (at == std::string_view::npos) break;
    out.push_back(line.substr(0, at));
    line.remove_prefix(at + 1);
  }
  out.push_back(line);
  return out;
}

std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> out;
  while (out.size() < kMostWords) {
    const auto begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) break;
    line.remove_prefix(begin);
    const auto end = line.find_first_of(" \t");
    out.push_back(line.substr(0, end));
    if (end == std::string_view::npos) break;
    line.remove_prefix(end);
  }
  return out;
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::optional<double> real(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  const bool whole = end == text.data() + text.size() || (end + 1 == text.data() + text.size() && *end == '.');
  if (error != std::errc() || text.empty() || !whole || !std::isfinite(value)) return std::nullopt;
  if (value < 0 || value > 1e15) return std::nullopt;
  return value;
}

bool mode(std::string_view hex, host::PathFact& fact) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), value, 16);
  if (error != std::errc() || end != hex.data() + hex.size() || hex.empty() || value > 0xffff) return false;
  using host::PathKind;
  switch (value & 0xf000U) {
    case 0x8000U:
      fact.kind = PathKind::File;
      break;
    case 0x4000U:
      fact.kind = PathKind::Directory;
      break;
    case 0xa000U:
      fact.kind = PathKind::Link;
      break;
    default:
      fact.kind = PathKind::Other;
  }
  fact.mode = fmt::format("{:04o}", value & 0xfffU);
  return true;
}

bool is_digest_line(std::string_view line) {
  if (!line.empty() && line.front() == '\\') line.remove_prefix(1);
  return line.size() > kDigest + 2 && std::all_of(line.begin(), line.begin() + kDigest, hex_digit) &&
         line[kDigest] == ' ' && (line[kDigest + 1] == ' ' || line[kDigest + 1] == '*');
}

DigestLine read_digest(std::string_view line) {
  const bool escaped = line.front() == '\\';
  if (escaped) line.remove_prefix(1);
  DigestLine out{std::string(line.substr(0, kDigest)), std::string(line.substr(kDigest + 2))};
  if (!escaped) return out;
  std::string path;
  for (std::size_t i = 0; i < out.path.size(); ++i) {
    if (out.path[i] == '\\' && i + 1 < out.path.size() && out.path[i + 1] == '\\') ++i;
    path += out.path[i];
  }
  out.path = std::move(path);
  return out;
}

std::string plain_key(std::string_view line) {
  constexpr std::size_t kLongest = 16 * 1024;
  const auto found = words(line);
  if (found.size() < 2 || line.size() > kLongest) return {};
  const auto type = found[0], key = found[1];
  if (!type.starts_with("ssh-") && !type.starts_with("ecdsa-") && !type.starts_with("sk-")) return {};
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '/' ||
           c == '=' || c == '-' || c == '.' || c == '@';
  };
  if (!key.starts_with("AAAA") || !std::all_of(key.begin(), key.end(), fits) ||
      !std::all_of(type.begin(), type.end(), fits)) {
    return {};
  }
  for (const char c : line) {
    if (static_cast<unsigned char>(c) < 0x20 && c != '\t') return {};
  }
  return std::string(type) + " " + std::string(key);
}

std::string unescape_field(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && octal(text[i + 1]) && octal(text[i + 2]) && octal(text[i + 3])) {
      const int value = (text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0');
      out += static_cast<char>(static_cast<unsigned char>(value & 0xff));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace nimbus::reconcilers::configure
