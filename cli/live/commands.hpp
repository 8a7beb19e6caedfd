// Rows of the command table: what asks nimbusd, and what reads the story of a machine
// from the status branch. See command_table.cpp.
#pragma once

#include <vector>

#include "base/args/command_table.hpp"
#include "cli/context.hpp"

namespace nimbus::cli {

base::Flag server_flag();
std::vector<base::Command> live_commands();

Exit run_machine_list(Context& context);
Exit run_machine_describe(Context& context);
Exit run_events(Context& context);
Exit run_reconcile(Context& context);
Exit run_hold(Context& context);
Exit run_resume(Context& context);
Exit run_confirm(Context& context);
Exit run_drift(Context& context);
Exit run_history(Context& context);
Exit run_trace(Context& context);
Exit run_audit_verify(Context& context);
Exit run_audit_list(Context& context);
Exit run_controller_backup(Context& context);
Exit run_controller_restore(Context& context);

/// `explain machine NAME`, `status --live`.
Exit explain_machine(Context& context, const std::string& name);
Exit show_live_status(Context& context);

/// Hosts: "tenant/instance".
bool is_instance_name(const std::string& text);
/// nimbusd looks at that instance's host.
bool is_configured_instance(Context& context, const std::string& text);
Exit drift_of_instance(Context& context, const std::string& instance);
Exit explain_instance(Context& context, const std::string& instance);

}  // namespace nimbus::cli
