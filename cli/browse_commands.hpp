// Rows of the command table: what only looks at a registry. See command_table.cpp.
#pragma once

#include "base/args/command_table.hpp"

namespace nimbus::cli {

base::Flag output_flag();
base::Command provider_command();
base::Command show_command();
base::Command explain_command();
base::Command schema_command();

}  // namespace nimbus::cli
