#include "base/toml/edit.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/core.h>

#include "base/text/text.hpp"
#include "base/toml/edit_parts.hpp"
#include "base/toml/statements.hpp"
#include "base/toml/toml.hpp"
#include "base/toml/write.hpp"

namespace nimbus::base::toml {
namespace {

using StatementKind = Statement::Kind;

std::string dotted(const KeyPath& path, std::size_t from = 0) {
  std::string out;
  for (std::size_t i = from; i < path.size(); ++i) out += (i > from ? "." : "") + key_text(path[i]);
  return out;
}

/// The value at a path through tables; null if there is none. `blocked`: how many keys
/// lead to something on the way that is no table.
const Value* value_at(const Table& root, const KeyPath& path, std::optional<std::size_t>* blocked = nullptr) {
  const Table* table = &root;
  const Value* value = nullptr;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (table == nullptr) {
      if (blocked != nullptr) *blocked = i;
      return nullptr;
    }
    value = table->find(path[i]);
    if (value == nullptr) return nullptr;
    table = value->table();
  }
  return value;
}

/// What an edit looks at: the text, its statements, what it means.
struct Document {
  std::string_view text;
  Table root;
  std::vector<Statement> statements;
  std::string_view line_end = "\n";

  std::string_view piece(Extent extent) const { return text.substr(extent.begin, extent.end - extent.begin); }
  std::string_view indentation(const Statement& statement) const {
    return text.substr(statement.lines.begin, statement.key_begin - statement.lines.begin);
  }
  /// A line to insert at `at`, which is a line's beginning or the end of the text.
  std::string line(std::size_t at, std::string content) const {
    const bool open = at == text.size() && !text.empty() && text.back() != '\n';
    return (open ? std::string(line_end) : std::string()) + std::move(content) + std::string(line_end);
  }
};

Result<Document> document_of(std::string_view text) {
  auto root = parse(text);
  if (!root) {
    const auto& error = root.error();
    return Error{Code::Invalid, fmt::format("{}:{}: {}", error.at.line, error.at.column, error.message)};
  }
  Document out{.text = text, .root = std::move(*root), .statements = statements_of(text)};
  const auto first = text.find('\n');
  if (first != std::string_view::npos && first > 0 && text[first - 1] == '\r') out.line_end = "\r\n";
  return out;
}

/// The pair that holds `path` or the inline table above it.
const Statement* pair_above(const Document& document, const KeyPath& path) {
  const auto found = std::ranges::find_if(document.statements, [&](const Statement& each) {
    return each.kind == StatementKind::Pair && !each.in_array && starts_with(path, each.path);
  });
  return found == document.statements.end() ? nullptr : &*found;
}

/// Where the innermost { … } above a path stands, and how much of the path leads to it.
struct InlineHost {
  Extent braces;
  std::size_t keys = 0;
  std::optional<Extent> value;  // of the path itself
};
InlineHost inline_host(const Document& document, const Statement& pair, const KeyPath& path) {
  InlineHost out{.braces = pair.value, .keys = pair.path.size()};
  while (true) {
    const KeyPath rest(path.begin() + static_cast<std::ptrdiff_t>(out.keys), path.end());
    const auto items = inline_items(document.text, out.braces);
    const auto item = std::ranges::find_if(items, [&](const InlineItem& each) { return starts_with(rest, each.path); });
    if (item == items.end()) return out;
    if (item->path.size() == rest.size()) {
      out.value = item->value;
      return out;
    }
    out.keys += item->path.size();
    out.braces = item->value;
  }
}

// ----------------------------------------------------------------- set

/// Behind the last key in { … }.
Edit insert_inline(const Document& document, const InlineHost& host, const KeyPath& path, const Value& value) {
  const std::string item = dotted(path, host.keys) + " = " + inline_text(value);
  const auto items = inline_items(document.text, host.braces);
  if (!items.empty()) return {{items.back().extent.end, items.back().extent.end, ", " + item}};
  return {{host.braces.begin + 1, host.braces.end - 1, " " + item + " "}};
}

/// Where a key goes that is the first of the top table: above the first header and the
/// comment that stands right on it.
Splice first_at_top(const Document& document, const std::string& pair) {
  if (document.statements.empty()) {
    const std::size_t end = document.text.size();
    return {end, end, document.line(end, pair)};
  }
  std::size_t at = document.statements.front().lines.begin;
  const std::size_t top = document.text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  while (at > top) {
    const auto before = at < 2 ? std::string_view::npos : document.text.rfind('\n', at - 2);
    const std::size_t begin = before == std::string_view::npos ? top : before + 1;
    if (!trim(document.text.substr(begin, at - begin)).starts_with('#')) break;
    at = begin;
  }
  return {at, at, document.line(at, pair) + std::string(document.line_end)};
}

/// Behind the last statement that `belongs`, with its indentation.
template <class Belongs>
std::optional<Edit> insert_behind_last(const Document& document, const std::string& pair, Belongs belongs) {
  const Statement* last = nullptr;
  for (const auto& each : document.statements) {
    if (belongs(each)) last = &each;
  }
  if (last == nullptr) return std::nullopt;
  const std::size_t at = last->lines.end;
  return Edit{{at, at, document.line(at, std::string(document.indentation(*last)) + pair)}};
}

/// At the end, after an empty line.
Edit append(const Document& document, const std::string& lines) {
  const std::size_t end = document.text.size();
  std::string with = document.line(end, lines);
  if (!document.statements.empty()) with.insert(with.find_first_not_of("\r\n"), document.line_end);
  return {{end, end, std::move(with)}};
}

std::string with_line_end(std::string text, std::string_view line_end) {
  if (text.ends_with('\n')) text.pop_back();
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += line_end;
    } else {
      out += c;
    }
  }
  return out;
}

/// Ways to write a key that is not there, the usual first.
std::vector<Edit> insertions(const Document& document, const KeyPath& path, const Value& value) {
  if (const Statement* pair = pair_above(document, path)) {
    return {insert_inline(document, inline_host(document, *pair, path), path, value)};
  }
  std::vector<Edit> out;
  if (value.table() != nullptr && !value.is_inline()) {
    Table alone;
    open_table(alone, parent_of(path)).set(path.back(), value);
    out.push_back(append(document, with_line_end(write(alone), document.line_end)));
    return out;
  }
  const KeyPath parent = parent_of(path);
  const std::string written = inline_text(value);
  // In the table's own section.
  for (const auto& header : document.statements) {
    if (header.kind != StatementKind::Header || header.in_array || header.path != parent) continue;
    out.push_back(*insert_behind_last(document, key_text(path.back()) + " = " + written,
                                      [&](const Statement& each) { return each.section == header.section; }));
  }
  const auto at_top = [&](const std::string& pair) {
    if (auto behind = insert_behind_last(document, pair, [](const Statement& each) { return each.section == 0; }))
      return std::move(*behind);
    return Edit{first_at_top(document, pair)};
  };
  if (parent.empty()) {
    out.push_back(at_top(key_text(path.back()) + " = " + written));
    return out;
  }
  // Beside keys that make the table with dots.
  for (const auto& sibling : document.statements) {
    if (sibling.kind != StatementKind::Pair || sibling.in_array || sibling.path.size() <= parent.size() ||
        sibling.section_keys >= parent.size() || !starts_with(sibling.path, parent))
      continue;
    out.push_back(
        *insert_behind_last(document, dotted(path, sibling.section_keys) + " = " + written, [&](const Statement& each) {
          return each.kind == StatementKind::Pair && each.section == sibling.section && starts_with(each.path, parent);
        }));
    break;
  }
  out.push_back(append(
      document, "[" + dotted(parent) + "]" + std::string(document.line_end) + key_text(path.back()) + " = " + written));
  out.push_back(at_top(dotted(path) + " = " + written));
  return out;
}

// -------------------------------------------------------------- remove

/// Items of an inline table, each with one comma.
Edit remove_inline(const Document& document, const InlineHost& host, const KeyPath& path) {
  const KeyPath rest(path.begin() + static_cast<std::ptrdiff_t>(host.keys), path.end());
  const auto items = inline_items(document.text, host.braces);
  Edit out;
  std::optional<std::size_t> kept_end;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!starts_with(items[i].path, rest)) {
      kept_end = items[i].extent.end;
    } else if (kept_end) {
      out.push_back({items[i - 1].extent.end, items[i].extent.end, ""});
    } else {
      out.push_back(
          {items[i].extent.begin, i + 1 < items.size() ? items[i + 1].extent.begin : items[i].extent.end, ""});
    }
  }
  // "{ }" that nothing is left in becomes "{}".
  if (!kept_end) return {{host.braces.begin + 1, host.braces.end - 1, ""}};
  return out;
}

Edit remove_statements(const Document& document, const KeyPath& path) {
  Edit out;
  std::vector<std::size_t> sections;   // which of them are whole sections
  std::optional<std::size_t> section;  // that goes as a whole
  for (const auto& each : document.statements) {
    const bool header = each.kind != StatementKind::Pair;
    if (header) section.reset();
    if (section == each.section && !out.empty()) {
      out.back().end = each.lines.end;
      continue;
    }
    if (!starts_with(each.path, path)) continue;
    if (!header && each.in_array) continue;
    if (header) {
      section = each.section;
      sections.push_back(out.size());
    }
    out.push_back({each.lines.begin, each.lines.end, ""});
  }
  for (const std::size_t i : sections) {
    const Extent lines = with_empty_lines(document.text, {out[i].begin, out[i].end});
    out[i].begin = i == 0 ? lines.begin : std::max(lines.begin, out[i - 1].end);
    out[i].end = lines.end;
  }
  return out;
}

Error unwritable(const KeyPath& path) {
  return {Code::Internal, "no way was found to change " + printable(dotted(path), 300) + " and nothing else"};
}

}  // namespace

std::string applied(std::string_view text, const Edit& edit) {
  std::string out;
  std::size_t at = 0;
  for (const auto& splice : edit) {
    out += text.substr(at, splice.begin - at);
    out += splice.with;
    at = splice.end;
  }
  out += text.substr(at);
  return out;
}

Result<Edit> set_key(std::string_view text, const KeyPath& path, const Value& value) {
  auto document = document_of(text);
  if (!document) return std::move(document.error());
  if (path.empty()) return Error{Code::Invalid, "a key is needed"};
  std::optional<std::size_t> blocked;
  const Value* old = value_at(document->root, path, &blocked);
  if (blocked) {
    const KeyPath there(path.begin(), path.begin() + static_cast<std::ptrdiff_t>(*blocked));
    return Error{Code::Invalid, printable(dotted(there), 300) + " is no table"};
  }
  Table wanted = document->root;
  open_table(wanted, parent_of(path)).set(path.back(), value);
  std::vector<Edit> ways;
  if (old == nullptr) {
    ways = insertions(*document, path, value);
  } else {
    const Statement* pair = pair_above(*document, path);
    const auto place = pair == nullptr                    ? std::nullopt
                       : pair->path.size() == path.size() ? std::optional(pair->value)
                                                          : inline_host(*document, *pair, path).value;
    if (!place) return Error{Code::Conflict, printable(dotted(path), 300) + " is a table; remove it first"};
    ways.push_back({{place->begin, place->end, inline_text(value)}});
  }
  for (auto& way : ways) {
    if (reads_as(text, way, wanted)) return std::move(way);
  }
  return unwritable(path);
}

Result<Edit> remove_key(std::string_view text, const KeyPath& path) {
  auto document = document_of(text);
  if (!document) return std::move(document.error());
  if (path.empty()) return Error{Code::Invalid, "a key is needed"};
  if (value_at(document->root, path) == nullptr) {
    return Error{Code::NotFound, "there is no " + printable(dotted(path), 300)};
  }
  const Statement* pair = pair_above(*document, path);
  const bool inside = pair != nullptr && pair->path.size() < path.size();
  auto edit =
      inside ? remove_inline(*document, inline_host(*document, *pair, path), path) : remove_statements(*document, path);
  // A table that nobody wrote a header for goes with its last key.
  Table wanted = document->root;
  for (KeyPath gone = path; !gone.empty(); gone.pop_back()) {
    Table& parent = open_table(wanted, parent_of(gone));
    parent.erase(gone.back());
    if (reads_as(text, edit, wanted)) return edit;
    if (!parent.empty()) break;
  }
  return unwritable(path);
}

Result<KeyPath> parse_key_path(std::string_view text) {
  const Error malformed{Code::Invalid, "'" + printable(text, 100) + "' is no key; keys look like bmc.driver"};
  if (text.find_first_of("\n=#[]{}") != std::string_view::npos && text.find_first_of("\"'") == std::string_view::npos)
    return malformed;
  const auto line = std::string(text) + " = 1";
  const auto table = parse(line);
  const auto statements = table ? statements_of(line) : std::vector<Statement>();
  if (statements.size() != 1 || statements.front().kind != StatementKind::Pair || statements.front().path.empty() ||
      statements.front().value.end != line.size() || statements.front().value.begin + 1 != line.size())
    return malformed;
  const Value* value = value_at(*table, statements.front().path);
  if (value == nullptr || value->integer() == nullptr) return malformed;
  return statements.front().path;
}

}  // namespace nimbus::base::toml
