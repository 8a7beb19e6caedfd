// Edits of a person's TOML text: whatever the text, an edit means one change and
// nothing else, and can be taken back. Before the first line end: the key.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/toml/edit.hpp"
#include "base/toml/edit_list.hpp"
#include "base/toml/tokens.hpp"
#include "base/toml/toml.hpp"

namespace {

using namespace nimbus::base::toml;

void require(bool holds) {
  if (!holds) std::abort();
}

/// "a.b.1.c": an element of [[a.b]].
void edit_list(std::string_view text, const KeyPath& path) {
  for (std::size_t at = 1; at < path.size(); ++at) {
    if (path[at].size() != 1 || path[at][0] < '0' || path[at][0] > '9') continue;
    const auto number = path.begin() + static_cast<std::ptrdiff_t>(at);
    const ListElement element{
        {path.begin(), number}, static_cast<std::size_t>(path[at][0] - '0'), {number + 1, path.end()}};
    if (const auto edit = set_in_list(text, element, "value")) {
      const std::string after = applied(text, *edit);
      require(parse(after).has_value());
      const auto removed = remove_from_list(after, element);
      if (removed) require(parse(applied(after, *removed)).has_value());
    }
    if (const auto edit = remove_from_list(text, element)) require(parse(applied(text, *edit)).has_value());
    return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto line = input.find('\n');
  if (line == std::string_view::npos) return 0;
  const std::string_view text = input.substr(line + 1);
  std::string again;
  for (const auto& token : tokens_of(text)) again += token.text;
  require(again == text);
  const auto path = parse_key_path(input.substr(0, line));
  if (!path) return 0;
  require(!path->empty());
  edit_list(text, *path);
  if (const auto edit = set_key(text, *path, "value")) {
    const std::string after = applied(text, *edit);
    require(edit->size() == 1 && parse(after).has_value());
    const auto removed = remove_key(after, *path);
    // A table of dotted keys may hold the key in a way that only a person can untangle.
    if (removed) require(parse(applied(after, *removed)).has_value());
  }
  if (const auto edit = remove_key(text, *path)) require(parse(applied(text, *edit)).has_value());
  return 0;
}
