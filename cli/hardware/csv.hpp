// Small CSV files that people make: a line of column names, then rows. No quotes; blanks
// around values do not count; empty lines and lines with '#' in front are skipped.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace nimbus::cli {

struct CsvRow {
  std::size_t line = 0;
  std::map<std::string, std::string, std::less<>> values;  // by column; empty ones left out
  /// "" if the row has none.
  std::string get(std::string_view column) const;
};

/// `known` names every column that there may be, `required` those that each row needs.
/// Errors: Invalid, with the line; no value is repeated in it.
Result<std::vector<CsvRow>> parse_csv(std::string_view text, const std::vector<std::string>& known,
                                      const std::vector<std::string>& required);

}  // namespace nimbus::cli
