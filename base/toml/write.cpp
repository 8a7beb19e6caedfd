#include "base/toml/write.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/text/text.hpp"

namespace nimbus::base::toml {
namespace {

bool is_bare_key(std::string_view key) {
  return !key.empty() && std::ranges::all_of(key, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

std::string float_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  std::array<char, 40> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  std::string text(buffer.data(), end);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string inline_array(const Array& values) {
  std::string out = "[";
  for (const auto& value : values) out += (out.size() > 1 ? ", " : "") + inline_text(value);
  return out + "]";
}

std::string inline_table(const Table& table) {
  std::string out = "{";
  for (const auto& member : table.members()) {
    out += (out.size() > 1 ? ", " : " ") + key_text(member.key) + " = " + inline_text(member.value);
  }
  return out + (table.empty() ? "}" : " }");
}

}  // namespace

std::string key_text(std::string_view key) { return is_bare_key(key) ? std::string(key) : quoted(key); }

std::string inline_text(const Value& value) {
  switch (value.kind()) {
    case Kind::String:
      return quoted(*value.string());
    case Kind::Integer:
      return std::to_string(*value.integer());
    case Kind::Float:
      return float_text(*value.floating());
    case Kind::Boolean:
      return *value.boolean() ? "true" : "false";
    case Kind::DateTime:
      return value.datetime()->text();
    case Kind::Array:
      return inline_array(*value.array());
    case Kind::Table:
      return inline_table(*value.table());
  }
  return "";
}

namespace {

bool is_array_of_tables(const Value& value) {
  const auto* values = value.array();
  return values != nullptr && !values->empty() &&
         std::ranges::all_of(*values, [](const Value& each) { return each.kind() == Kind::Table; });
}

bool is_plain(const Value& value) { return value.kind() != Kind::Table && !is_array_of_tables(value); }

void write_body(const Table& table, const std::string& path, std::string& out) {
  for (const auto& [key, span, value] : table.members()) {
    if (is_plain(value)) out += key_text(key) + " = " + inline_text(value) + "\n";
  }
  const auto inner_path = [&](const std::string& key) {
    return path.empty() ? key_text(key) : path + "." + key_text(key);
  };
  for (const auto& [key, span, value] : table.members()) {
    const Table* inner = value.table();
    if (inner == nullptr) continue;
    const auto name = inner_path(key);
    const bool has_header = inner->empty() || std::ranges::any_of(inner->members(), [](const Member& member) {
                              return is_plain(member.value);
                            });
    if (has_header) out += "[" + name + "]\n";
    write_body(*inner, name, out);
  }
  for (const auto& [key, span, value] : table.members()) {
    if (!is_array_of_tables(value)) continue;
    const auto name = inner_path(key);
    for (const auto& each : *value.array()) {
      out += "[[" + name + "]]\n";
      write_body(*each.table(), name, out);
    }
  }
}

}  // namespace

std::string quoted(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string valid;
  if (!is_valid_utf8(text)) {
    valid = repaired_utf8(text);
    text = valid;
  }
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\r':
        out += "\\r";
        break;
      default:
        if (byte < 0x20U || byte == 0x7FU) {
          out += std::string("\\u00") + kHex[byte >> 4U] + kHex[byte & 15U];
        } else {
          out += c;
        }
    }
  }
  return out + "\"";
}

std::string write(const Table& table) {
  std::string out;
  write_body(table, "", out);
  return out;
}

}  // namespace nimbus::base::toml
