#include "registry/status/document.hpp"

#include <chrono>

#include "base/text/text.hpp"
#include "base/toml/toml.hpp"

namespace nimbus::registry {
namespace {

Error fault_error(std::string_view file, const base::toml::Position& at, const std::string& message) {
  return Error{Code::Invalid, base::printable(file, 300) + ":" + std::to_string(at.line) + ":" +
                                  std::to_string(at.column) + ": " + message};
}

}  // namespace

base::toml::Value bounded_text(std::string_view text, std::size_t limit_bytes) {
  return base::printable(text, limit_bytes);
}

base::toml::Value time_value(WallTime time) {
  return base::toml::DateTime::from(std::chrono::floor<std::chrono::seconds>(time));
}

void set_text(base::toml::Table& table, const char* key, std::string_view text) {
  if (!text.empty()) table.set(key, bounded_text(text));
}

std::optional<WallTime> read_optional_time(base::toml::TableReader& reader, std::string_view key) {
  const auto* value = reader.value(key);
  if (value == nullptr) return std::nullopt;
  const auto* time = value->datetime();
  const auto instant = time != nullptr ? time->instant() : std::nullopt;
  if (!instant) reader.fault(key, "'" + std::string(key) + "' must be a time with zone");
  return instant;
}

WallTime read_time(base::toml::TableReader& reader, std::string_view key) {
  return read_optional_time(reader.require(key), key).value_or(WallTime{});
}

std::string read_text(base::toml::TableReader& reader, std::string_view key) {
  return reader.require(key).string(key).value_or("");
}

std::string read_optional_text(base::toml::TableReader& reader, std::string_view key) {
  return reader.string(key).value_or("");
}

Result<base::toml::Table> parse_document(std::string_view text, std::string_view file) {
  auto table = base::toml::parse(text);
  if (!table) return fault_error(file, table.error().at, table.error().message);
  return std::move(*table);
}

std::optional<Error> first_fault(const std::vector<base::toml::Fault>& faults, std::string_view file) {
  if (faults.empty()) return std::nullopt;
  return fault_error(file, faults.front().at, faults.front().message);
}

}  // namespace nimbus::registry
