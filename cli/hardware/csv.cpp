#include "cli/hardware/csv.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text/text.hpp"

namespace nimbus::cli {
namespace {

constexpr std::size_t kMostRows = 10'000;

Error at(std::size_t line, const std::string& what) { return {Code::Invalid, fmt::format("line {}: {}", line, what)}; }

Result<std::vector<std::string>> fields_of(std::string_view text, std::size_t line) {
  if (text.find('"') != std::string_view::npos) return at(line, "quotes are not understood in these files");
  if (!base::is_valid_utf8(text)) return at(line, "not UTF-8");
  std::vector<std::string> out;
  for (const auto field : base::split(text, ',')) out.emplace_back(base::trim(field));
  return out;
}

Result<> check_columns(const std::vector<std::string>& columns, const std::vector<std::string>& known,
                       const std::vector<std::string>& required, std::size_t line) {
  for (const auto& column : columns) {
    if (std::ranges::count(columns, column) > 1)
      return at(line, "the column '" + base::printable(column, 60) + "' is there twice");
    if (std::ranges::find(known, column) != known.end()) continue;
    return at(line, fmt::format("no column '{}'; there are: {}", base::printable(column, 60), [&] {
                std::string all;
                for (const auto& name : known) all += (all.empty() ? "" : ", ") + name;
                return all;
              }()));
  }
  for (const auto& column : required) {
    if (std::ranges::find(columns, column) == columns.end()) return at(line, "the column '" + column + "' is missing");
  }
  return {};
}

}  // namespace

std::string CsvRow::get(std::string_view column) const {
  const auto found = values.find(column);
  return found == values.end() ? "" : found->second;
}

Result<std::vector<CsvRow>> parse_csv(std::string_view text, const std::vector<std::string>& known,
                                      const std::vector<std::string>& required) {
  std::vector<CsvRow> rows;
  std::vector<std::string> columns;
  std::size_t number = 0;
  for (const auto raw : base::split(text, '\n')) {
    ++number;
    const auto line = base::trim(raw);
    if (line.empty() || line.starts_with('#')) continue;
    auto fields = fields_of(line, number);
    if (!fields) return std::move(fields.error());
    if (columns.empty()) {
      columns = std::move(*fields);
      if (auto good = check_columns(columns, known, required, number); !good) return std::move(good.error());
      continue;
    }
    if (fields->size() > columns.size()) return at(number, "more values than columns");
    if (rows.size() >= kMostRows) return at(number, "too many rows");
    CsvRow row{.line = number, .values = {}};
    for (std::size_t i = 0; i < fields->size(); ++i) {
      if (!(*fields)[i].empty()) row.values[columns[i]] = std::move((*fields)[i]);
    }
    for (const auto& column : required) {
      if (row.get(column).empty()) return at(number, "'" + column + "' is empty");
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace nimbus::cli
