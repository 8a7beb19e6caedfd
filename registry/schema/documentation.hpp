// The field tables as documentation: for `nimbusctl explain`, the reference page and
// completion. Pure. Thread rule: safe from any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "registry/path.hpp"

namespace nimbus::registry {

struct KeyDocumentation {
  std::string path;  // "bmc.address"; a table in a list is "hardware.disk[]", a named one "role.<name>"
  std::string type;  // "string: an https URL …", "integer from 1 to 4094", "table"
  bool is_table = false;
  bool is_text = false;  // the value is a string; of a table: those in it are
  bool required = false;
  std::string fallback;  // the default as TOML; may be empty
  std::string example;   // as TOML; may be empty
  std::string refers;    // kind of object that the value names: "network"; may be empty
  std::string where;     // "machine, class" where the key stands in some files of a machine only; else empty
  std::string doc;
};

struct KindDocumentation {
  FileKind kind;
  std::string path;  // "providers/<provider>/networks/<network>.toml"
  std::string doc;
  std::vector<KeyDocumentation> keys;  // in the order of the tables
};

/// Of FileKind::Content: without keys.
KindDocumentation documentation(FileKind kind);
/// Where files of a kind lie.
std::string_view path_pattern(FileKind kind) noexcept;
/// The row of "bmc.address" ("[]" and names may be left out); nothing if there is none.
std::optional<KeyDocumentation> find_key(FileKind kind, std::string_view key_path);
/// The table of a kind's keys in Markdown, as the reference page holds it.
std::string markdown_table(FileKind kind);

}  // namespace nimbus::registry
