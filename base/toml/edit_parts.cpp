#include "base/toml/edit_parts.hpp"

#include "base/text/text.hpp"
#include "base/toml/toml.hpp"

namespace nimbus::base::toml {
namespace {

bool is_blank_line(std::string_view line) { return trim(line).empty(); }

}  // namespace

KeyPath parent_of(const KeyPath& path) { return {path.begin(), path.end() - 1}; }

Table& open_table(Table& root, const KeyPath& path) {
  Table* table = &root;
  for (const auto& key : path) {
    if (table->find(key) == nullptr) table->set(key, Table{});
    table = table->find(key)->table();
  }
  return *table;
}

bool reads_as(std::string_view text, const Edit& edit, const Table& wanted) {
  const auto after = parse(applied(text, edit));
  return after && *after == wanted;
}

Extent with_empty_lines(std::string_view text, Extent lines) {
  const auto line_before = [&](std::size_t at) {
    const auto end = at < 2 ? std::string_view::npos : text.rfind('\n', at - 2);
    return end == std::string_view::npos ? 0 : end + 1;
  };
  const bool apart =
      lines.begin == 0 || is_blank_line(text.substr(line_before(lines.begin), lines.begin - line_before(lines.begin)));
  while (apart && lines.end < text.size()) {
    const auto end = text.find('\n', lines.end);
    if (end == std::string_view::npos || !is_blank_line(text.substr(lines.end, end - lines.end))) break;
    lines.end = end + 1;
  }
  while (lines.end == text.size() && lines.begin > 0) {
    const auto begin = line_before(lines.begin);
    if (!is_blank_line(text.substr(begin, lines.begin - begin))) break;
    lines.begin = begin;
  }
  return lines;
}

}  // namespace nimbus::base::toml
