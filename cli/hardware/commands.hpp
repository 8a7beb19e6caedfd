// Rows of the command table for what talks to hardware: bmc, discover, secret.
#pragma once

#include <vector>

#include "base/args/command_table.hpp"
#include "cli/context.hpp"

namespace nimbus::cli {

std::vector<base::Command> hardware_commands();

Exit run_bmc_probe(Context& context);
Exit run_bmc_pin(Context& context);
Exit run_bmc_rotate(Context& context);
Exit run_discover_bmc(Context& context);
Exit run_discover_host(Context& context);
Exit run_secret_set(Context& context);
Exit run_secret_import(Context& context);

}  // namespace nimbus::cli
