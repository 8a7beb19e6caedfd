#include "registry/schema/documentation.hpp"

#include <array>

#include <fmt/core.h>

#include "registry/schema/field.hpp"

namespace nimbus::registry {
namespace {

std::string choices_text(std::span<const std::string_view> choices) {
  std::string out;
  for (const auto choice : choices) out += fmt::format("{}\"{}\"", out.empty() ? "" : " | ", choice);
  return out;
}

std::string type_text(const Field& row) {
  const auto& traits = row.traits;
  switch (row.type) {
    case FieldType::String:
      return fmt::format("string: {}", info(traits.format).hint);
    case FieldType::Choice:
      return choices_text(row.choices);
    case FieldType::Integer:
      return traits.most == INT64_MAX ? fmt::format("integer, at least {}", traits.least)
                                      : fmt::format("integer from {} to {}", traits.least, traits.most);
    case FieldType::Boolean:
      return "true | false";
    case FieldType::Duration:
      return "string: " + std::string(info(Format::Duration).hint);
    case FieldType::Time:
      return "date-time with zone";
    case FieldType::Strings:
      return fmt::format("list of strings, each {}", info(traits.format).hint);
    case FieldType::Table:
      return "table";
    case FieldType::Tables:
      return "list of tables";
    case FieldType::NamedTables:
      return "tables by name";
    case FieldType::StringMap:
      return "table of strings";
    case FieldType::ScalarMap:
      return "table of strings, integers and booleans";
  }
  return {};
}

std::string refers_text(Refers refers) {
  constexpr std::array<std::string_view, 12> kNames = {"",        "provider", "class",   "network",
                                                       "machine", "image",    "profile", "person",
                                                       "tenant",  "role",     "secret",  "file below files/"};
  return std::string(kNames[static_cast<std::size_t>(refers)]);
}

std::string where_text(std::uint8_t levels) {
  if ((levels & kEverywhere) == kEverywhere) return {};
  std::string out;
  const auto add = [&](Level level, std::string_view name) {
    if ((levels & level) != 0) out += fmt::format("{}{}", out.empty() ? "" : ", ", name);
  };
  add(kInMachine, "machine");
  add(kInClass, "class");
  add(kInDefaults, "defaults");
  return out;
}

void add_rows(const TableSpec& spec, const std::string& prefix, std::uint8_t level, bool say_where,
              std::vector<KeyDocumentation>& keys) {
  for (const auto& row : spec.fields) {
    const auto& traits = row.traits;
    if ((traits.levels & level) == 0) continue;
    KeyDocumentation key;
    key.path = prefix + std::string(row.key);
    key.type = type_text(row);
    key.is_table = traits.table != nullptr;
    key.is_text = row.type == FieldType::String || row.type == FieldType::Choice || row.type == FieldType::Duration ||
                  row.type == FieldType::StringMap;
    key.required = traits.need == Need::Required;
    key.fallback = traits.fallback;
    key.example = traits.example;
    key.refers = refers_text(traits.refers);
    if (say_where) key.where = where_text(traits.levels);
    key.doc = row.doc;
    if (row.type == FieldType::Tables) key.path += "[]";
    if (row.type == FieldType::NamedTables) key.path += ".<name>";
    const std::string below = key.path + ".";
    keys.push_back(std::move(key));
    // Defaults are rows of a machine: the page of machines has them.
    if (traits.table != nullptr && row.open != nullptr) add_rows(*traits.table, below, level, say_where, keys);
    if (traits.table != nullptr && row.open == nullptr) add_rows(*traits.table, below, kInDefaults, false, keys);
  }
}

std::string plain(std::string_view path) {
  std::string out;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path.substr(i, 2) == "[]") {
      ++i;
    } else if (path[i] == '<') {
      while (i < path.size() && path[i] != '>') ++i;
      if (!out.empty()) out.pop_back();  // the dot before
    } else {
      out += path[i];
    }
  }
  return out;
}

std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

std::string_view path_pattern(FileKind kind) noexcept {
  switch (kind) {
    case FileKind::Registry:
      return "registry.toml";
    case FileKind::Limits:
      return "policy/limits.toml";
    case FileKind::Roles:
      return "policy/roles.toml";
    case FileKind::Bindings:
      return "policy/bindings.toml";
    case FileKind::Approval:
      return "policy/approvals/<plan-digest>.toml";
    case FileKind::Tenant:
      return "policy/tenants/<tenant>.toml";
    case FileKind::Person:
      return "policy/people/<person>.toml";
    case FileKind::Provider:
      return "providers/<provider>/provider.toml";
    case FileKind::Class:
      return "providers/<provider>/classes/<class>.toml";
    case FileKind::Network:
      return "providers/<provider>/networks/<network>.toml";
    case FileKind::Machine:
      return "providers/<provider>/machines/[<group>/]<machine>.toml";
    case FileKind::Image:
      return "[providers/<provider>/|tenants/<tenant>/]images/<image>.toml";
    case FileKind::Profile:
      return "[tenants/<tenant>/]profiles/<profile>.toml";
    case FileKind::Instance:
      return "tenants/<tenant>/instances/<instance>.toml";
    case FileKind::Content:
      return "[tenants/<tenant>/]files/…";
  }
  return {};
}

KindDocumentation documentation(FileKind kind) {
  KindDocumentation out{kind, std::string(path_pattern(kind)), {}, {}};
  const auto* spec = spec_of(kind);
  if (spec == nullptr) {
    out.doc = "Files that profiles, images and instances name; their content is not looked at.";
    return out;
  }
  out.doc = spec->doc;
  add_rows(*spec, {}, level_of(kind), kind == FileKind::Machine, out.keys);
  return out;
}

std::optional<KeyDocumentation> find_key(FileKind kind, std::string_view key_path) {
  for (auto& key : documentation(kind).keys) {
    if (key.path == key_path || plain(key.path) == plain(key_path)) return std::move(key);
  }
  return std::nullopt;
}

std::string markdown_table(FileKind kind) {
  std::string out = "| key | type | default | meaning |\n|---|---|---|---|\n";
  for (const auto& key : documentation(kind).keys) {
    std::string meaning = key.doc;
    if (!key.where.empty()) meaning += fmt::format(" Only in: {}.", key.where);
    out += fmt::format("| `{}`{} | {} | {} | {} |\n", cell(key.path), key.required ? " *" : "", cell(key.type),
                       key.fallback.empty() ? "" : "`" + cell(key.fallback) + "`", cell(meaning));
  }
  return out;
}

}  // namespace nimbus::registry
