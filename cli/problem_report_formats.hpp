// The report's forms for programs. Internal to problem_report.cpp.
#pragma once

#include <string>
#include <string_view>

#include "cli/problem_report.hpp"

namespace nimbus::cli {

/// A path fit for the start of a line on a terminal or in a pipeline's log.
std::string shown_path(std::string_view path);

/// {"valid":…, "errors":…, "warnings":…, "files":…, "problems":[…]}
std::string json_report(const Report& report);
/// SARIF 2.1.0 (OASIS), for code scanning.
std::string sarif_report(const Report& report);
/// One test case for each file with problems, one for the rest.
std::string junit_report(const Report& report);
/// Workflow commands of GitHub and Forgejo Actions: "::error file=…,line=…::…".
std::string github_report(const Report& report);
/// GitLab's code quality report: a subset of the Code Climate format.
std::string gitlab_report(const Report& report);

}  // namespace nimbus::cli
