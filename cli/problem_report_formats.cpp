#include "cli/problem_report_formats.hpp"

#include <algorithm>
#include <map>

#include <fmt/core.h>

#include "base/crypto/crypto.hpp"
#include "base/text/text.hpp"
#include "cli/listing.hpp"
#include "cli/version.hpp"

namespace nimbus::cli {
namespace {

using base::Json;
using registry::Problem;
using registry::Severity;

constexpr std::size_t kLongestMessage = 2000;

std::string document(const Json& json) { return without_controls(json.text(base::JsonStyle::Pretty)) + "\n"; }

/// Same for the same problem wherever in the file it moved to; `seen` tells equal
/// ones in a file apart.
std::string fingerprint(const Problem& problem, std::map<std::string, int>& seen) {
  const std::string key = fmt::format("{}\n{}\n{}", to_string(problem.code), problem.file, problem.message);
  return base::sha256_hex(fmt::format("{}\n{}", key, seen[key]++)).substr(0, 40);
}

/// RFC 3986: a relative reference; everything but unreserved characters and '/' is
/// percent-encoded.
std::string uri_of(std::string_view path) {
  std::string out;
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~/").find(c) != std::string_view::npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

Json sarif_rules() {
  Json rules = Json::array();
  for (const auto& rule : registry::rules()) {
    rules.push(Json::object({{"id", rule.id}, {"shortDescription", Json::object({{"text", rule.summary}})}}));
  }
  return rules;
}

/// XML 1.0 text: what it cannot say was made printable before.
std::string xml(std::string_view text) {
  std::string out;
  for (const char c : base::printable(text, kLongestMessage)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

/// Workflow commands: '%', CR and LF in data, also ':' and ',' in properties.
enum class Part : std::uint8_t { Data, Property };
std::string command_escaped(std::string_view text, Part part) {
  std::string out;
  for (const char c : base::printable(text, kLongestMessage)) {
    const bool escape = c == '%' || c == '\r' || c == '\n' || (part == Part::Property && (c == ':' || c == ','));
    out += escape ? fmt::format("%{:02X}", static_cast<unsigned char>(c)) : std::string(1, c);
  }
  return out;
}

}  // namespace

std::string json_report(const Report& report) {
  Json problems = Json::array();
  for (const auto& problem : report.problems) {
    Json item = Json::object({{"code", to_string(problem.code)},
                              {"severity", to_string(problem.severity)},
                              {"file", problem.file},
                              {"line", problem.line},
                              {"column", problem.column},
                              {"length", problem.length},
                              {"message", problem.message}});
    if (!problem.related.empty()) item.set("related", problem.related);
    problems.push(std::move(item));
  }
  return document(Json::object({{"valid", report.errors() == 0},
                                {"errors", report.errors()},
                                {"warnings", report.warnings()},
                                {"files", report.files},
                                {"problems", problems}}));
}

std::string sarif_report(const Report& report) {
  Json results = Json::array();
  std::map<std::string, int> seen;
  for (const auto& problem : report.problems) {
    Json place = Json::object({{"artifactLocation", Json::object({{"uri", uri_of(problem.file)}})}});
    Json region =
        Json::object({{"startLine", std::max(problem.line, 1U)}, {"startColumn", std::max(problem.column, 1U)}});
    if (problem.length > 0) region.set("endColumn", std::max(problem.column, 1U) + problem.length);
    place.set("region", region);
    results.push(Json::object({{"ruleId", to_string(problem.code)},
                               {"level", to_string(problem.severity)},
                               {"message", Json::object({{"text", problem.message}})},
                               {"locations", Json::array({Json::object({{"physicalLocation", place}})})},
                               {"partialFingerprints", Json::object({{"nimbus/v1", fingerprint(problem, seen)}})}}));
  }
  const Json driver = Json::object({{"name", "nimbusctl"}, {"semanticVersion", kVersion}, {"rules", sarif_rules()}});
  return document(Json::object({{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                                {"version", "2.1.0"},
                                {"runs", Json::array({Json::object({{"tool", Json::object({{"driver", driver}})},
                                                                    {"columnKind", "unicodeCodePoints"},
                                                                    {"results", results}})})}}));
}

std::string junit_report(const Report& report) {
  std::map<std::string, std::vector<const Problem*>> by_file;
  for (const auto& problem : report.problems) by_file[problem.file].push_back(&problem);
  std::size_t failures = 0;
  std::string cases;
  for (const auto& [file, problems] : by_file) {
    std::string text;
    const Problem* first = nullptr;
    for (const auto* problem : problems) {
      if (problem->severity != Severity::Error) continue;
      if (first == nullptr) first = problem;
      text += xml(fmt::format("{}:{}:{}: {} [{}]", problem->file, problem->line, problem->column, problem->message,
                              to_string(problem->code))) +
              "\n";
    }
    cases += fmt::format("    <testcase classname=\"registry\" name=\"{}\">\n", xml(file));
    if (first != nullptr) {
      ++failures;
      cases += fmt::format("      <failure type=\"{}\" message=\"{}\">{}</failure>\n", to_string(first->code),
                           xml(first->message), text);
    }
    cases += "    </testcase>\n";
  }
  if (by_file.empty()) cases = "    <testcase classname=\"registry\" name=\"all files\"/>\n";
  const std::size_t tests = std::max<std::size_t>(by_file.size(), 1);
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"{0}\" failures=\"{1}\">\n"
      "  <testsuite name=\"nimbusctl validate\" tests=\"{0}\" failures=\"{1}\" errors=\"0\" skipped=\"0\">\n{2}"
      "  </testsuite>\n</testsuites>\n",
      tests, failures, cases);
}

std::string github_report(const Report& report) {
  std::string out;
  for (const auto& problem : report.problems) {
    std::string place = "file=" + command_escaped(problem.file, Part::Property);
    if (problem.line > 0) place += fmt::format(",line={},col={}", problem.line, std::max(problem.column, 1U));
    if (problem.length > 0) place += fmt::format(",endColumn={}", std::max(problem.column, 1U) + problem.length);
    out += fmt::format("::{} {},title={}::{}\n", to_string(problem.severity), place, to_string(problem.code),
                       command_escaped(problem.message, Part::Data));
  }
  return out;
}

std::string gitlab_report(const Report& report) {
  Json all = Json::array();
  std::map<std::string, int> seen;
  for (const auto& problem : report.problems) {
    const Json lines = Json::object({{"begin", std::max(problem.line, 1U)}});
    all.push(Json::object({{"description", problem.message},
                           {"check_name", to_string(problem.code)},
                           {"fingerprint", fingerprint(problem, seen)},
                           {"severity", problem.severity == Severity::Error ? "major" : "minor"},
                           {"location", Json::object({{"path", problem.file}, {"lines", lines}})}}));
  }
  return document(all);
}

}  // namespace nimbus::cli
