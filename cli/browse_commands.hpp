// Rows of the command table: what looks at a registry, and edits it key by key. See
// command_table.cpp.
#pragma once

#include "base/args/command_table.hpp"

namespace nimbus::cli {

base::Flag output_flag();
base::Command provider_command();
base::Command show_command();
base::Command explain_command();
base::Command schema_command();
base::Command set_command();
base::Command unset_command();

}  // namespace nimbus::cli
