// Commit messages: subject, body and trailers (git-interpret-trailers(1)).
#include <algorithm>
#include <utility>

#include "base/text/text.hpp"
#include "registry/git/commit_builder.hpp"

namespace nimbus::registry {
namespace {

constexpr std::size_t kSubjectBytes = 120;
constexpr std::size_t kTrailerBytes = 256;
constexpr std::size_t kMessageBytes = std::size_t{64} << 10U;

bool is_trailer_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
}

}  // namespace

std::string commit_subject(std::string_view text) {
  std::string line = base::printable(base::trim(text), kSubjectBytes);
  return line.empty() ? "Status" : line;
}

std::string commit_message(std::string_view subject, std::string_view body,
                           const std::vector<std::pair<std::string, std::string>>& trailers) {
  std::string out = commit_subject(subject) + "\n";
  if (!base::trim(body).empty()) out += "\n" + std::string(base::trim(body)) + "\n";
  if (!trailers.empty()) out += "\n";
  for (const auto& [name, value] : trailers) out += name + ": " + base::printable(value, kTrailerBytes) + "\n";
  return out;
}

std::map<std::string, std::string> trailers_of(std::string_view message) {
  std::map<std::string, std::string> found;
  message = base::trim(message.substr(0, kMessageBytes));
  const auto block = message.rfind("\n\n");
  if (block == std::string_view::npos) return found;
  for (const auto line : base::split(message.substr(block + 2), '\n')) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !is_trailer_name(line.substr(0, colon))) continue;
    found[std::string(line.substr(0, colon))] = std::string(base::trim(line.substr(colon + 1)));
  }
  return found;
}

}  // namespace nimbus::registry
