// Problems of a registry in the forms that people, pipelines and editors read.
// Everything that stands in a file, its name included, is hostile: each form has
// its own escaping. Pure, apart from the reader of source lines.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "cli/console.hpp"
#include "registry/problem.hpp"

namespace nimbus::cli {

enum class ReportFormat : std::uint8_t { Human, Json, Sarif, Junit, Github, Gitlab };
const std::vector<std::string>& report_format_names();
std::optional<ReportFormat> parse_report_format(std::string_view name);

struct Report {
  std::span<const registry::Problem> problems;  // sorted
  std::size_t files = 0;                        // that were looked at
  /// The text of a file of the registry; nothing if it cannot be read.
  std::function<std::optional<std::string>(const std::string& file)> text_of;

  std::size_t errors() const;
  std::size_t warnings() const { return problems.size() - errors(); }
};

/// The document, ready for standard output. `console` gives colours to Human.
std::string render(const Report& report, ReportFormat format, const Console& console);

/// "3 errors and 1 warning in 40 files", "valid: 40 files".
std::string summary(const Report& report);

}  // namespace nimbus::cli
