// Pieces of text that help, man pages and the reference page share. Private to
// base/args.
#pragma once

#include <string>
#include <vector>

#include "base/args/command_table.hpp"

namespace nimbus::base {

/// "-o, --output, --format FORMAT"
std::string flag_usage(const Flag& flag);
/// The help with choices, fallback and environment variable.
std::string flag_meaning(const Flag& flag);
std::string positional_meaning(const Positional& positional);
/// "DIR", "[DIR]", "NAME…", "[NAME…]"
std::string positional_usage(const Positional& positional);
/// "nimbusctl validate [DIR] [FLAGS]"
std::string usage_line(const CommandTable& program, const std::vector<std::string>& path);

/// All shown commands in the table's order, parents first; the program itself left out.
std::vector<std::vector<std::string>> shown_commands(const CommandTable& program);

}  // namespace nimbus::base
