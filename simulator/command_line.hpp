// nimbus-sim's command line, as a table.
#pragma once

#include "base/args/command_table.hpp"

namespace nimbus::simulator {

base::CommandTable command_line();

}  // namespace nimbus::simulator
