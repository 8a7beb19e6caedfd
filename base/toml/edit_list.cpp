#include "base/toml/edit_list.hpp"

#include <algorithm>
#include <optional>

#include <fmt/core.h>

#include "base/text/text.hpp"
#include "base/toml/edit_parts.hpp"
#include "base/toml/toml.hpp"
#include "base/toml/write.hpp"

namespace nimbus::base::toml {
namespace {

std::string dotted(const KeyPath& path) {
  std::string out;
  for (const auto& part : path) out += (out.empty() ? "" : ".") + key_text(part);
  return out;
}

/// A list and where its elements stand.
struct List {
  Table root;
  std::size_t size = 0;
  struct Place {
    std::size_t header_end = 0;
    std::size_t keys_end = 0;  // behind the last key of the element itself
    Extent all;                // with the sections below it
  };
  std::vector<Place> places;
};

Array* list_in(Table& root, const KeyPath& path) {
  Table* table = &root;
  for (std::size_t i = 0; table != nullptr && i + 1 < path.size(); ++i) {
    Value* next = table->find(path[i]);
    table = next == nullptr ? nullptr : next->table();
  }
  Value* value = table == nullptr || path.empty() ? nullptr : table->find(path.back());
  return value == nullptr ? nullptr : value->array();
}

std::vector<List::Place> places_of(std::string_view text, const KeyPath& path) {
  std::vector<List::Place> out;
  std::optional<std::size_t> section;  // of the element's own keys
  bool inside = false;
  for (const auto& each : statements_of(text)) {
    if (each.kind == Statement::Kind::ArrayHeader && each.path == path) {
      out.push_back({each.lines.end, each.lines.end, each.lines});
      section = each.section;
      inside = true;
      continue;
    }
    if (each.kind != Statement::Kind::Pair) inside = inside && starts_with(each.path, path);
    if (!inside) continue;
    out.back().all.end = each.lines.end;
    if (each.section == section) out.back().keys_end = each.lines.end;
  }
  return out;
}

Result<List> list_of(std::string_view text, const ListElement& at) {
  auto root = parse(text);
  if (!root) {
    const auto& error = root.error();
    return Error{Code::Invalid, fmt::format("{}:{}: {}", error.at.line, error.at.column, error.message)};
  }
  List out{.root = std::move(*root), .places = places_of(text, at.list)};
  const Array* array = list_in(out.root, at.list);
  out.size = array == nullptr ? 0 : array->size();
  if (out.size != out.places.size()) {
    return Error{Code::Conflict, printable(dotted(at.list), 300) + " is not written with [[…]]: set it as a whole"};
  }
  return out;
}

Error no_element(const ListElement& at, std::size_t size) {
  return {Code::NotFound, fmt::format("{} has {} element{}, counted from 0: there is no {}",
                                      printable(dotted(at.list), 300), size, size == 1 ? "" : "s", at.index)};
}

Error unwritable(const ListElement& at) {
  return {Code::Internal, "no way was found to change " + printable(dotted(at.list), 300) + " and nothing else"};
}

/// An edit of a piece of the text that begins at `offset`.
Edit moved(Edit edit, std::size_t offset) {
  for (auto& splice : edit) {
    splice.begin += offset;
    splice.end += offset;
  }
  return edit;
}

std::string_view line_end_of(std::string_view text) {
  const auto first = text.find('\n');
  return first != std::string_view::npos && first > 0 && text[first - 1] == '\r' ? "\r\n" : "\n";
}

/// A new element behind the last one, or at the end of the text.
Edit append_element(std::string_view text, const List& list, const ListElement& at, const Value& value) {
  const std::string line_end(line_end_of(text));
  const std::size_t where = list.places.empty() ? text.size() : list.places.back().all.end;
  std::string with;
  if (where > 0 && text[where - 1] != '\n') with += line_end;
  if (where > 0) with += line_end;
  with += "[[" + dotted(at.list) + "]]" + line_end + dotted(at.key) + " = " + inline_text(value) + line_end;
  return {{where, where, std::move(with)}};
}

}  // namespace

Result<Edit> set_in_list(std::string_view text, const ListElement& at, const Value& value) {
  auto list = list_of(text, at);
  if (!list) return std::move(list.error());
  if (at.key.empty()) return Error{Code::Invalid, "a key of the element is needed"};
  if (at.index > list->size) return no_element(at, list->size);
  if (at.index == list->size) {
    auto edit = append_element(text, *list, at, value);
    // The list may not fit in here at all, below a value for instance.
    const auto after = parse(applied(text, edit));
    Table element;
    open_table(element, parent_of(at.key)).set(at.key.back(), value);
    Table now = after ? *after : Table{};
    const Array* grown = list_in(now, at.list);
    if (grown == nullptr || grown->size() != list->size + 1 || !(grown->back() == Value(element)))
      return unwritable(at);
    return edit;
  }
  const auto& place = list->places[at.index];
  const std::string_view keys = text.substr(place.header_end, place.keys_end - place.header_end);
  auto edit = set_key(keys, at.key, value);
  if (!edit) return edit;
  *edit = moved(std::move(*edit), place.header_end);
  if (place.keys_end == place.header_end) {  // "[[x]]" alone
    edit->front().with = std::string(text.ends_with('\n') || place.header_end < text.size() ? "" : line_end_of(text)) +
                         dotted(at.key) + " = " + inline_text(value) + std::string(line_end_of(text));
  }
  Table& element = *(*list_in(list->root, at.list))[at.index].table();
  open_table(element, parent_of(at.key)).set(at.key.back(), value);
  if (!reads_as(text, *edit, list->root)) return unwritable(at);
  return edit;
}

Result<Edit> remove_from_list(std::string_view text, const ListElement& at) {
  auto list = list_of(text, at);
  if (!list) return std::move(list.error());
  if (at.index >= list->size) return no_element(at, list->size);
  const auto& place = list->places[at.index];
  Array& array = *list_in(list->root, at.list);
  if (!at.key.empty()) {
    auto edit = remove_key(text.substr(place.header_end, place.keys_end - place.header_end), at.key);
    if (!edit) return edit;
    *edit = moved(std::move(*edit), place.header_end);
    const auto after = parse(applied(text, *edit));
    Table now = after ? *after : Table{};
    const Array* left = list_in(now, at.list);
    if (left == nullptr || left->size() != list->size) return unwritable(at);
    return edit;
  }
  const Extent lines = with_empty_lines(text, place.all);
  Edit edit{{lines.begin, lines.end, ""}};
  array.erase(array.begin() + static_cast<std::ptrdiff_t>(at.index));
  if (!array.empty()) return reads_as(text, edit, list->root) ? Result<Edit>(std::move(edit)) : unwritable(at);
  // A table that nobody wrote a header for goes with its last element.
  for (KeyPath gone = at.list; !gone.empty(); gone.pop_back()) {
    Table& parent = open_table(list->root, parent_of(gone));
    parent.erase(gone.back());
    if (reads_as(text, edit, list->root)) return edit;
    if (!parent.empty()) break;
  }
  return unwritable(at);
}

}  // namespace nimbus::base::toml
