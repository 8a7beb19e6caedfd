// Shared by the documents of this folder: values to TOML and back. For its sources only.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/toml/reader.hpp"
#include "base/toml/value.hpp"
#include "core/result.hpp"
#include "core/time.hpp"

namespace nimbus::registry {

/// Printable and cut: what devices and people say cannot disturb a terminal that
/// shows it, nor grow a document beyond what is read again. Short is for lists.
inline constexpr std::size_t kTextBytes = 1024;
inline constexpr std::size_t kShortTextBytes = 400;
base::toml::Value bounded_text(std::string_view text, std::size_t limit_bytes = kTextBytes);
base::toml::Value time_value(WallTime time);  // whole seconds

/// Sets the key unless the text is empty.
void set_text(base::toml::Table& table, const char* key, std::string_view text);

/// A required, or an optional, time with zone.
WallTime read_time(base::toml::TableReader& reader, std::string_view key);
std::optional<WallTime> read_optional_time(base::toml::TableReader& reader, std::string_view key);
std::string read_text(base::toml::TableReader& reader, std::string_view key);
std::string read_optional_text(base::toml::TableReader& reader, std::string_view key);

/// A required word out of an enum whose values are `all`.
template <class Enum>
Enum read_word(base::toml::TableReader& reader, std::string_view key, std::initializer_list<Enum> all) {
  std::vector<std::string> words;
  for (const Enum each : all) words.emplace_back(to_string(each));
  const auto word = reader.require(key).choice(key, words);
  if (word) {
    for (const Enum each : all) {
      if (*word == to_string(each)) return each;
    }
  }
  return *all.begin();
}

Result<base::toml::Table> parse_document(std::string_view text, std::string_view file);
/// The first fault as an error; nothing if there is none.
std::optional<Error> first_fault(const std::vector<base::toml::Fault>& faults, std::string_view file);

}  // namespace nimbus::registry
