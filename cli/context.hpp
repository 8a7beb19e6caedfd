// What every command gets. Thread rule: one thread.
#pragma once

#include <functional>
#include <string>

#include "base/args/args.hpp"
#include "cli/console.hpp"
#include "cli/exit_codes.hpp"
#include "cli/listing.hpp"
#include "core/error.hpp"
#include "core/ports/clock.hpp"

namespace nimbus::cli {

struct Context {
  Console& console;
  const base::CommandTable& table;
  const base::Parsed& args;
  const base::Environment& environment;
  const Clock& clock;

  /// -C, --registry, its variable or the local settings; else the current folder.
  std::string registry_start() const;
  Format format() const { return parse_format(args.text("output")).value_or(Format::Table); }
};

/// Prints the error; its exit code.
Exit fail(Context& context, const Error& error);

/// One file each: validate.cpp, status.cpp, …
Exit run_init(Context& context);
Exit run_validate(Context& context);
Exit run_plan(Context& context);
Exit run_approve(Context& context);
Exit run_provider_list(Context& context);
Exit run_provider_describe(Context& context);
Exit run_show(Context& context);
Exit run_explain(Context& context);
Exit run_schema_print(Context& context);
Exit run_schema_install(Context& context);
Exit run_status(Context& context);
Exit run_fmt(Context& context);
Exit run_set(Context& context);
Exit run_unset(Context& context);
Exit run_export(Context& context);
Exit run_config_init(Context& context);
Exit run_config_get(Context& context);
Exit run_config_set(Context& context);
Exit run_config_path(Context& context);
Exit run_completion(Context& context);
Exit run_version(Context& context);
Exit run_help(Context& context);

using Handler = Exit (*)(Context&);
/// Null if the table has a command that nobody wrote: a test looks at all of them.
Handler handler_of(const std::vector<std::string>& command);

/// The table of nimbusctl.
base::CommandTable command_table();

}  // namespace nimbus::cli
