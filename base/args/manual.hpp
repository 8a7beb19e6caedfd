// Man pages and the reference page, from the command table.
#pragma once

#include <string>
#include <vector>

#include "base/args/command_table.hpp"

namespace nimbus::base {

/// The page of the program (empty path) or of one command, in man(7) macros.
std::string man_page(const CommandTable& program, const std::vector<std::string>& path);

/// File names of all pages with their command paths: "nimbusctl-plan.1" → {"plan"}.
struct ManPage {
  std::string file;
  std::vector<std::string> path;
};
std::vector<ManPage> man_pages(const CommandTable& program);

/// docs/reference/<program>.md.
std::string reference_page(const CommandTable& program);

}  // namespace nimbus::base
