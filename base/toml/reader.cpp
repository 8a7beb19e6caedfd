#include "base/toml/reader.hpp"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "base/text/text.hpp"

namespace nimbus::base::toml {

TableReader::TableReader(const Table& table, std::string name, std::vector<Fault>& faults, Position at)
    : table_(&table), name_(std::move(name)), faults_(&faults), at_(at) {}

std::string TableReader::where() const { return name_.empty() ? "at the top" : "in [" + name_ + "]"; }

const Value* TableReader::value(std::string_view key) {
  if (std::ranges::find(known_, key) == known_.end()) known_.emplace_back(key);
  return table_->find(key);
}

const Value* TableReader::typed(std::string_view key, Kind kind) {
  const Value* found = value(key);
  if (found == nullptr || found->kind() == kind) return found;
  fault(key, fmt::format("'{}' {} must be {}, not {}", key, where(), with_article(kind), with_article(found->kind())));
  return nullptr;
}

std::optional<std::string> TableReader::string(std::string_view key) {
  const Value* found = typed(key, Kind::String);
  return found != nullptr ? std::optional(*found->string()) : std::nullopt;
}

std::optional<std::int64_t> TableReader::integer(std::string_view key, std::int64_t least, std::int64_t most) {
  const Value* found = typed(key, Kind::Integer);
  if (found == nullptr) return std::nullopt;
  const std::int64_t number = *found->integer();
  if (number >= least && number <= most) return number;
  if (most == INT64_MAX) {
    fault(key, fmt::format("'{}' {} is {}; it must be at least {}", key, where(), number, least));
  } else {
    fault(key, fmt::format("'{}' {} is {}; it must be from {} to {}", key, where(), number, least, most));
  }
  return std::nullopt;
}

std::optional<double> TableReader::number(std::string_view key) {
  const Value* found = value(key);
  if (found != nullptr && found->kind() == Kind::Integer) return static_cast<double>(*found->integer());
  found = typed(key, Kind::Float);
  return found != nullptr ? std::optional(*found->floating()) : std::nullopt;
}

std::optional<bool> TableReader::boolean(std::string_view key) {
  const Value* found = typed(key, Kind::Boolean);
  return found != nullptr ? std::optional(*found->boolean()) : std::nullopt;
}

std::optional<std::vector<std::string>> TableReader::strings(std::string_view key) {
  const Value* found = typed(key, Kind::Array);
  if (found == nullptr) return std::nullopt;
  std::vector<std::string> out;
  for (const auto& item : *found->array()) {
    if (const auto* text = item.string()) {
      out.push_back(*text);
    } else {
      faults_->push_back({item.span().begin, fmt::format("'{}' {} must be an array of strings", key, where())});
      return std::nullopt;
    }
  }
  return out;
}

std::optional<std::string> TableReader::choice(std::string_view key, const std::vector<std::string>& allowed) {
  auto text = string(key);
  if (!text || std::ranges::find(allowed, *text) != allowed.end()) return text;
  std::string list;
  for (const auto& each : allowed) list += (list.empty() ? "\"" : ", \"") + each + "\"";
  fault(key, fmt::format("'{}' {} is \"{}\"; it must be one of {}", key, where(), printable(*text, 80), list));
  return std::nullopt;
}

std::optional<TableReader> TableReader::table(std::string_view key) {
  const Value* found = typed(key, Kind::Table);
  if (found == nullptr) return std::nullopt;
  return TableReader(*found->table(), name_.empty() ? std::string(key) : name_ + "." + std::string(key), *faults_,
                     found->span().begin);
}

std::vector<TableReader> TableReader::tables(std::string_view key) {
  std::vector<TableReader> out;
  const Value* found = typed(key, Kind::Array);
  if (found == nullptr) return out;
  const std::string name = name_.empty() ? std::string(key) : name_ + "." + std::string(key);
  for (const auto& item : *found->array()) {
    if (const auto* each = item.table()) {
      out.emplace_back(*each, name, *faults_, item.span().begin);
    } else {
      faults_->push_back({item.span().begin, fmt::format("'{}' {} must be an array of tables", key, where())});
    }
  }
  return out;
}

TableReader& TableReader::require(std::string_view key) {
  if (value(key) == nullptr) fault(key, fmt::format("'{}' is missing {}", key, where()));
  return *this;
}

void TableReader::fault(std::string_view key, std::string message) {
  const Value* found = table_->find(key);
  faults_->push_back({found != nullptr ? found->span().begin : at_, std::move(message)});
}

void TableReader::finish() {
  for (const auto& member : table_->members()) {
    if (std::ranges::find(known_, member.key) != known_.end()) continue;
    std::string message = fmt::format("unknown key '{}' {}", printable(member.key, 80), where());
    if (const auto meant = did_you_mean(member.key, known_)) message += fmt::format("; did you mean '{}'?", *meant);
    faults_->push_back({member.key_span.begin, std::move(message)});
  }
}

}  // namespace nimbus::base::toml
