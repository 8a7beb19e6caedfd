// Texts behind `nimbusctl help TOPIC`, and the exit codes.
#pragma once

#include <vector>

#include "base/args/command_table.hpp"

namespace nimbus::cli {

std::vector<base::Topic> topics();
std::vector<base::ExitCode> exit_codes();

}  // namespace nimbus::cli
