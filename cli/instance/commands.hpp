// Rows of the command table: instances, from choosing a machine to logging in. See
// command_table.cpp.
#pragma once

#include <vector>

#include "base/args/command_table.hpp"
#include "cli/context.hpp"

namespace nimbus::cli {

base::Command instance_command();
base::Command place_command();

Exit run_instance_create(Context& context);
Exit run_instance_plan(Context& context);
Exit run_instance_list(Context& context);
Exit run_instance_describe(Context& context);
Exit run_instance_logs(Context& context);
Exit run_instance_ssh(Context& context);
Exit run_instance_console(Context& context);
Exit run_instance_wait(Context& context);
Exit run_instance_start(Context& context);
Exit run_instance_stop(Context& context);
Exit run_instance_restart(Context& context);
Exit run_instance_reinstall(Context& context);
Exit run_instance_protect(Context& context);
Exit run_instance_unprotect(Context& context);
Exit run_instance_delete(Context& context);
Exit run_place(Context& context);

}  // namespace nimbus::cli
