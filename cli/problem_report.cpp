#include "cli/problem_report.hpp"

#include <algorithm>
#include <map>

#include <fmt/core.h>

#include "base/text/text.hpp"
#include "cli/problem_report_formats.hpp"

namespace nimbus::cli {
namespace {

using registry::Problem;
using registry::Severity;

constexpr std::size_t kLongestPath = 300;
constexpr std::size_t kLongestMessage = 2000;
constexpr std::size_t kSourceColumns = 110;  // of a source line; longer ones are shown around the mark

/// Line `number` (from 1) of `text`, without its end.
std::optional<std::string_view> line_of(std::string_view text, std::uint32_t number) {
  for (std::uint32_t at = 1;; ++at) {
    const auto end = text.find('\n');
    if (at == number) {
      std::string_view line = text.substr(0, end);
      if (line.ends_with('\r')) line.remove_suffix(1);
      return line;
    }
    if (end == std::string_view::npos) return std::nullopt;
    text.remove_prefix(end + 1);
  }
}

/// Bytes of the first `count` code points.
std::size_t bytes_of(std::string_view text, std::size_t count) {
  std::size_t at = 0;
  while (at < text.size() && count > 0) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U) ++at;
    --count;
  }
  return at;
}

/// What stands in quotes on a line about credentials becomes stars: a secret that is there
/// by mistake need not be in a pipeline's log as well. Code points keep their places.
std::string without_secrets(std::string_view line) {
  const std::string key = base::to_lower(line.substr(0, line.find('=')));
  bool hides = false;
  for (const char* word : {"credential", "secret", "password", "token", "k_g"})
    hides = hides || key.find(word) != std::string::npos;
  if (!hides) return std::string(line);
  std::string out;
  char quote = 0;
  for (const char c : line) {
    const bool continues = (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
    if (quote == 0) {
      if (c == '"' || c == '\'') quote = c;
      out += c;
    } else if (c == quote) {
      quote = 0;
      out += c;
    } else if (!continues) {
      out += '*';
    }
  }
  return out;
}

/// "   7 | drvier = …\n     | ^~~~~~\n"
std::string source_excerpt(std::string_view line, const Problem& problem, const Console& console) {
  std::size_t column = problem.column > 0 ? problem.column - 1 : 0;
  // A line too long for a screen: the part around the mark.
  const std::size_t skipped = column > kSourceColumns / 2 ? column - kSourceColumns / 2 : 0;
  line.remove_prefix(bytes_of(line, skipped));
  column -= skipped;
  const std::string_view shown = line.substr(0, bytes_of(line, kSourceColumns));
  const std::string before = base::printable(shown.substr(0, bytes_of(shown, column)), 4096);
  const std::string_view marked = shown.substr(bytes_of(shown, column));
  const std::size_t width =
      problem.length == 0 ? 1
                          : display_width(base::printable(marked.substr(0, bytes_of(marked, problem.length)), 4096));
  const std::string number = std::to_string(problem.line);
  const std::string pad(number.size(), ' ');
  const std::string lead = skipped > 0 ? "…" : "";
  return fmt::format("  {} {} {}{}\n  {} {} {}{}\n", number, console.paint(Style::Dim, "|"), lead,
                     base::printable(shown, 4096), pad, console.paint(Style::Dim, "|"),
                     std::string(display_width(lead) + display_width(before), ' '),
                     console.paint(Style::Good, "^" + std::string(width > 1 ? width - 1 : 0, '~')));
}

std::string human(const Report& report, const Console& console) {
  std::map<std::string, std::optional<std::string>> texts;
  std::string out;
  for (const auto& problem : report.problems) {
    std::string place = shown_path(problem.file);
    if (problem.line > 0) place += fmt::format(":{}:{}", problem.line, std::max(problem.column, 1U));
    const bool error = problem.severity == Severity::Error;
    out += fmt::format("{}: {}: {} [{}]\n", console.paint(Style::Bold, place),
                       console.paint(error ? Style::Bad : Style::Warning, to_string(problem.severity)),
                       base::printable(problem.message, kLongestMessage), to_string(problem.code));
    if (problem.line > 0 && report.text_of) {
      auto [found, fresh] = texts.try_emplace(problem.file);
      if (fresh) found->second = report.text_of(problem.file);
      if (found->second) {
        if (const auto line = line_of(*found->second, problem.line))
          out += source_excerpt(without_secrets(*line), problem, console);
      }
    }
    if (!problem.related.empty()) out += "  see also " + shown_path(problem.related) + "\n";
  }
  return out;
}

std::string count_text(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace

std::string shown_path(std::string_view path) {
  std::string out = base::printable(path, kLongestPath);
  // A pipeline's runner must not take the first column for a command ("::…", "##[…").
  if (out.starts_with(':') || out.starts_with('#')) out.insert(0, "./");
  return out;
}

std::size_t Report::errors() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(problems, [](const Problem& problem) { return problem.severity == Severity::Error; }));
}

const std::vector<std::string>& report_format_names() {
  static const std::vector<std::string> names = {"human", "json", "sarif", "junit", "github", "gitlab"};
  return names;
}

std::optional<ReportFormat> parse_report_format(std::string_view name) {
  const auto& names = report_format_names();
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<ReportFormat>(found - names.begin());
}

std::string render(const Report& report, ReportFormat format, const Console& console) {
  switch (format) {
    case ReportFormat::Human:
      return human(report, console);
    case ReportFormat::Json:
      return json_report(report);
    case ReportFormat::Sarif:
      return sarif_report(report);
    case ReportFormat::Junit:
      return junit_report(report);
    case ReportFormat::Github:
      return github_report(report);
    case ReportFormat::Gitlab:
      return gitlab_report(report);
  }
  return {};
}

std::string summary(const Report& report) {
  const std::string files = count_text(report.files, "file");
  if (report.problems.empty()) return "valid: " + files;
  const std::string warnings = count_text(report.warnings(), "warning");
  if (report.errors() == 0) return fmt::format("valid: {}, {}", files, warnings);
  std::string out = "invalid: " + count_text(report.errors(), "error");
  if (report.warnings() > 0) out += " and " + warnings;
  return out + " in " + files;
}

}  // namespace nimbus::cli
