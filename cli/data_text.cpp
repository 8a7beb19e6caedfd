// YAML and TOML from a JSON value. YAML's double quotes take JSON's escapes.
#include <algorithm>

#include <fmt/core.h>

#include "base/toml/write.hpp"
#include "cli/conversion.hpp"
#include "cli/listing.hpp"

namespace nimbus::cli {
namespace {

using base::Json;

std::string quoted(std::string_view text) { return without_controls(Json(text).text()); }

/// A word that no YAML version takes for a number, a date, a truth value or null.
bool is_plain_yaml(std::string_view text) {
  if (text.empty() || text.size() > 64) return false;
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (!letter(text.front())) return false;
  if (!std::ranges::all_of(
          text, [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '/'; })) {
    return false;
  }
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  for (const char* word : {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}) {
    if (lower == word) return false;
  }
  return true;
}

std::string yaml_scalar(const Json& value) {
  if (const auto text = value.as_string()) return is_plain_yaml(*text) ? std::string(*text) : quoted(*text);
  return value.text();
}

bool is_empty_or_scalar(const Json& value) { return (!value.is_array() && !value.is_object()) || value.size() == 0; }

void yaml_block(const Json& value, std::size_t indent, std::string& out) {
  const std::string pad(indent, ' ');
  for (const auto& item : value.items()) {
    if (is_empty_or_scalar(item)) {
      out += pad + "- " + yaml_scalar(item) + "\n";
    } else {
      std::string inner;
      yaml_block(item, indent + 2, inner);
      inner.replace(indent, 2, "- ");
      out += inner;
    }
  }
  for (const auto& member : value.members()) {
    const std::string key = is_plain_yaml(member.key) ? member.key : quoted(member.key);
    if (is_empty_or_scalar(member.value)) {
      out += pad + key + ": " + yaml_scalar(member.value) + "\n";
    } else {
      out += pad + key + ":\n";
      yaml_block(member.value, indent + 2, out);
    }
  }
}

}  // namespace

std::string without_controls(std::string_view json) {
  std::string out;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const auto byte = static_cast<unsigned char>(json[i]);
    const auto next = [&](std::size_t n) { return i + n < json.size() ? static_cast<unsigned char>(json[i + n]) : 0U; };
    if (byte == 0x7FU) {
      out += "\\u007f";
    } else if (byte == 0xC2U && next(1) < 0xA0U) {
      out += fmt::format("\\u00{:02x}", next(1));
      i += 1;
    } else if (byte == 0xE2U && (next(1) == 0x80U || next(1) == 0x81U) && next(2) >= 0xA6U && next(2) <= 0xAEU) {
      out += fmt::format("\\u{:04x}", 0x2000U | ((next(1) & 0x3FU) << 6U) | (next(2) & 0x3FU));
      i += 2;
    } else {
      out += json[i];
    }
  }
  return out;
}

std::string to_yaml(const Json& value) {
  if (is_empty_or_scalar(value)) return yaml_scalar(value) + "\n";
  std::string out;
  yaml_block(value, 0, out);
  return out;
}

std::string to_toml(const Json& value) { return without_controls(base::toml::write(to_toml_table(value))); }

}  // namespace nimbus::cli
