// What a command that reads has to show, in every output format at once: columns
// for people, a JSON value for programs. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"
#include "cli/console.hpp"
#include "core/result.hpp"

namespace nimbus::cli {

enum class Format : std::uint8_t { Table, Wide, Json, Jsonl, Yaml, Toml, Name };
/// The names of the formats, for the command table.
const std::vector<std::string>& format_names();
std::optional<Format> parse_format(std::string_view name);

struct Cell {
  std::string text;  // foreign text is fine: it is escaped on output
  Style style = Style::Plain;
};

struct Column {
  std::string title;
  enum class When : std::uint8_t { Always, Wide } when = When::Always;
};

struct Row {
  std::string name;         // for -o name
  std::vector<Cell> cells;  // as many as columns
  base::Json json = {};     // the whole object
};

struct Listing {
  std::vector<Column> columns;
  std::vector<Row> rows;
};

/// The listing in a format, ready for Console::out. JSON is one array, jsonl one
/// object a line, yaml one list, toml one [[item]] for each row.
std::string render(const Listing& listing, Format format, const Console& console);

/// One value on its own; Table, Wide and Name fall back to YAML.
std::string render_value(const base::Json& value, Format format);

/// JSON or TOML text, all strings in double quotes, with DEL, C1 controls, line separators and bidirectional controls
/// as \u escapes: both allow them in strings, a terminal obeys them.
std::string without_controls(std::string_view json);

/// YAML that any YAML 1.2 reader understands: all strings in double quotes where
/// they could be taken for anything else.
std::string to_yaml(const base::Json& value);
/// TOML 1.0; null members are left out. `value` must be an object.
std::string to_toml(const base::Json& value);

}  // namespace nimbus::cli
