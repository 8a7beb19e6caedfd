// The one table that nimbusctl's parsing, help, completion, man pages and reference
// page come from.
#include <algorithm>

#include "base/args/complete.hpp"
#include "cli/browse_commands.hpp"
#include "cli/completer.hpp"
#include "cli/context.hpp"
#include "cli/hardware/commands.hpp"
#include "cli/instance/commands.hpp"
#include "cli/live/commands.hpp"
#include "cli/settings.hpp"
#include "cli/topics.hpp"
#include "cli/version.hpp"

namespace nimbus::cli {
namespace {

using base::Command;
using base::Count;
using base::Flag;

Command validate_command() {
  return {
      .name = "validate",
      .summary = "check a registry against the format's rules",
      .description =
          "Reads every file of the registry and reports all problems at once, each with file, line, column, a stable "
          "code and what to do. Needs no server and no network.\n\nWithout --rev the files are read as they are on "
          "disk, with changes that are not committed. With --rev they come from the object database and nothing is "
          "checked out, so a bare repository will do.",
      .examples = {{"nimbusctl validate", "check the registry in the current folder"},
                   {"nimbusctl validate --rev HEAD~1", "check a commit"},
                   {"nimbusctl validate --format github", "annotate a pull request from GitHub Actions"},
                   {"nimbusctl validate --format sarif > registry.sarif", "write a report for code scanning"}},
      .positionals = {{.name = "DIR",
                       .help = "the registry's folder; default: -C, or the current folder",
                       .count = Count::AtMostOne,
                       .completer = std::string(base::kCompleteFolder)}},
      .flags = {{.name = "rev",
                 .value = "REV",
                 .help = "check this commit instead of the files on disk",
                 .completer = "revision"},
                {.name = "base",
                 .value = "REV",
                 .help = "also check what depends on the version before: unprotect first",
                 .completer = "revision"},
                {.name = "format",
                 .value = "FORMAT",
                 .help = "form of the report",
                 .choices = {"human", "json", "sarif", "junit", "github", "gitlab"},
                 .fallback = "human"}},
      .exit_codes = {{0, "valid; there may be warnings"}, {3, "invalid"}}};
}

Command init_command() {
  return {.name = "init",
          .summary = "write a new registry",
          .description =
              "Writes registry.toml, first limits, a README, a pre-commit hook, and pipelines that validate every "
              "pull request and post its plan. Overwrites nothing: if one of the files exists, none is written.",
          .examples = {{"nimbusctl init acme-metal", "in a new folder"},
                       {"nimbusctl init --ci forgejo --image git.acme.example/ops/nimbus:0.1",
                        "in this folder, for one forge"}},
          .positionals = {{.name = "DIR",
                           .help = "where; default: the current folder",
                           .count = Count::AtMostOne,
                           .completer = std::string(base::kCompleteFolder)}},
          .flags = {{.name = "name", .value = "NAME", .help = "of the registry; default: the folder's"},
                    {.name = "ci",
                     .value = "FORGE",
                     .help = "pipelines for this forge only; default: for all",
                     .choices = {"github", "gitlab", "forgejo"},
                     .times = base::Times::Many},
                    {.name = "image",
                     .value = "IMAGE",
                     .help = "the container image with nimbusctl and git that pipelines use",
                     .fallback = "registry.example/nimbus:" + std::string(kVersion)}},
          .exit_codes = {{6, "a file exists already"}}};
}

Command fmt_command() {
  return {
      .name = "fmt",
      .summary = "lay out registry files in the usual way",
      .description =
          "Changes spaces, indentation, line ends and empty lines; never a key, a value, an order or a comment. Each "
          "file is read again after the change and compared; one that would mean anything else is left alone. "
          "Prints the names of the files that it changed.",
      .examples = {{"nimbusctl fmt", "all files of the registry"},
                   {"nimbusctl fmt providers/berlin-1", "those of one provider"},
                   {"nimbusctl fmt --check", "change nothing; for a pipeline"}},
      .positionals = {{.name = "PATH",
                       .help = "a file or folder of the registry, from its top; default: all",
                       .count = Count::Any,
                       .completer = std::string(base::kCompleteFile)}},
      .flags = {{.name = "check", .help = "change nothing; print what would change"}},
      .exit_codes = {{2, "with --check: there is a file to change"}, {3, "a file is no valid TOML"}}};
}

Command export_command() {
  return {
      .name = "export",
      .summary = "make a simulated fleet of a registry's machines",
      .description =
          "Writes, into one folder: fleet.toml, the machines for nimbus-sim, with their serial numbers, MAC addresses "
          "and declared hardware, at addresses of the loopback network; certificate, which their Redfish is known by; "
          "registry, the machines' files with these addresses and that certificate's pin, to be copied over a branch "
          "of the registry; secrets, what a controller logs in with. Comments and everything else in the files stay.",
      .examples = {{"nimbusctl export --fleet lab", "all machines, into the folder lab"},
                   {"nimbusctl export --fleet lab --provider berlin-1", "those of one provider"}},
      .flags = {{.name = "fleet",
                 .value = "DIR",
                 .help = "write a fleet for nimbus-sim into this folder; required",
                 .completer = std::string(base::kCompleteFolder)},
                {.name = "provider", .value = "NAME", .help = "only machines of this provider"},
                {.name = "first",
                 .value = "ADDRESS",
                 .help = "of the first machine's BMC; the others count up",
                 .fallback = "127.1.0.1"},
                {.name = "redfish-port",
                 .value = "PORT",
                 .help = "where Redfish is served",
                 .fallback = "9443",
                 .type = base::ValueType::Number},
                {.name = "ipmi-port",
                 .value = "PORT",
                 .help = "where IPMI is served",
                 .fallback = "9623",
                 .type = base::ValueType::Number},
                {.name = "control",
                 .value = "WHERE",
                 .help = "nimbus-sim's control port: unix:PATH or a loopback HOST:PORT",
                 .fallback = "127.0.0.1:8099"},
                {.name = "force", .help = "write over an earlier export; its certificate stays"}},
      .exit_codes = {
          {3, "the registry has errors"}, {5, "no machine with a BMC"}, {6, "there is a fleet.toml already"}}};
}

std::vector<std::string> setting_names() {
  std::vector<std::string> names;
  for (const auto& key : setting_keys()) names.emplace_back(key.name);
  return names;
}

Command config_command() {
  return {
      .name = "config",
      .summary = "local settings",
      .description =
          "Settings of the person at the keyboard, in one TOML file. Flags win over environment variables, "
          "which win over settings.",
      .commands = {
          {.name = "init",
           .summary = "write a settings file with every key explained",
           .exit_codes = {{6, "there is one already"}}},
          {.name = "get",
           .summary = "print settings",
           .examples = {{"nimbusctl config get", "all that are set"}, {"nimbusctl config get registry", "one value"}},
           .positionals = {{.name = "KEY", .help = "which one", .count = Count::AtMostOne, .choices = setting_names()}},
           .flags = {output_flag()},
           .exit_codes = {{5, "the key is not set"}}},
          {.name = "set",
           .summary = "change a setting; comments in the file stay",
           .examples = {{"nimbusctl config set registry ~/src/acme-metal", "use this registry from everywhere"}},
           .positionals = {{.name = "KEY", .help = "which one", .choices = setting_names()},
                           {.name = "VALUE", .help = "one line of text"}}},
          {.name = "path", .summary = "print where the settings file is"}}};
}

Command plan_command() {
  return {
      .name = "plan",
      .summary = "show what a change would do, and to which machine",
      .description =
          "Compares two versions of the registry and says for every machine and instance what follows: nothing, a "
          "power "
          "action, a reboot, configuration that runs as root, credentials that go elsewhere, loss of data. It decides "
          "with "
          "the code that nimbusd decides with, and changes nothing. Of hosts it shows which resources change, and "
          "files line by line; of secrets only that they differ.\n\nWhat was observed comes from the status "
          "branches of "
          "the local clone. Where nothing was observed the plan says unknown, never 'no effect'. Limits are those of "
          "the "
          "base: a change cannot raise its own.",
      .examples = {{"nimbusctl plan", "what the files on disk would change, against HEAD"},
                   {"nimbusctl plan --base origin/main", "what this branch would change"},
                   {"nimbusctl plan --base v1 --head v2 --format json", "between two commits, for a program"},
                   {"nimbusctl plan --base origin/main --exit-code", "for a script: 2 if anything would change"}},
      .flags = {{.name = "base",
                 .value = "REV",
                 .help = "the version before; default: HEAD, or the parent of --head",
                 .completer = "revision"},
                {.name = "head",
                 .value = "REV",
                 .help = "the version after; default: the files on disk",
                 .completer = "revision"},
                {.name = "format",
                 .value = "FORMAT",
                 .help = "form of the plan; markdown fits a pull request's comment",
                 .choices = {"human", "json", "markdown"},
                 .fallback = "human"},
                {.name = "exit-code", .help = "exit with 2 if there is anything in the plan"},
                {.name = "status",
                 .value = "REF",
                 .help = "a status branch to use, or 'none'; default: those that this clone has",
                 .times = base::Times::Many}},
      .exit_codes = {{0, "planned"}, {2, "with --exit-code: there is something in the plan"}, {5, "no such revision"}}};
}

Command approve_command() {
  return {.name = "approve",
          .summary = "approve a plan that the limits hold back",
          .description =
              "Writes policy/approvals/DIGEST.toml. The approval counts once it is merged; who may merge it is a "
              "matter of the paths that people may change.",
          .examples = {{"nimbusctl approve DIGEST --reason 'Decommission rack b2' --expires 2d", "for two days"}},
          .positionals = {{.name = "DIGEST", .help = "of the plan, as 'nimbusctl plan' prints it"}},
          .flags = {{.name = "reason", .value = "TEXT", .help = "why, in one line; required"},
                    {.name = "expires",
                     .value = "TIME",
                     .help = "how long it holds, at most 90d",
                     .fallback = "7d",
                     .type = base::ValueType::Duration}},
          .exit_codes = {{6, "there is one already"}}};
}

Command status_command() {
  return {
      .name = "status",
      .summary = "show what the controllers reported",
      .description =
          "Reads the status branches of the local clone: what 'git fetch' brought last. Without a name, a line for "
          "each provider and every machine that is not well; with a provider, all its machines; with a machine, "
          "everything known about it.\n\nHealth is one word: ok, attention (drift, hold, maintenance), trouble "
          "(not ready), unknown (not observed).",
      .examples = {{"nimbusctl status", "all providers, and what needs attention"},
                   {"nimbusctl status berlin-1", "all machines of a provider"},
                   {"nimbusctl status berlin-1/m017", "one machine with its conditions and last runs"},
                   {"nimbusctl status --live", "this controller, now, in numbers"},
                   {"nimbusctl status --live berlin-1/m017", "one machine, now"},
                   {"nimbusctl status -C /srv/registry.git -o json", "from a bare repository, for a program"}},
      .positionals = {{.name = "PROVIDER[/MACHINE]",
                       .help = "what to show; default: everything",
                       .count = Count::AtMostOne,
                       .completer = "provider-machine"}},
      .flags = {{.name = "live", .help = "ask nimbusd instead: what it knows now of its whole fleet"}, output_flag()},
      .exit_codes = {{5, "no such provider or machine, or nothing reported yet"}, {9, "nimbusd does not answer"}}};
}

Command completion_command() {
  return {.name = "completion",
          .summary = "print a completion script for a shell",
          .examples = {{"nimbusctl completion bash > ~/.local/share/bash-completion/completions/nimbusctl", "for bash"},
                       {"nimbusctl completion zsh > ~/.zfunc/_nimbusctl", "for zsh, with ~/.zfunc in $fpath"},
                       {"nimbusctl completion fish > ~/.config/fish/completions/nimbusctl.fish", "for fish"}},
          .positionals = {{.name = "SHELL", .help = "which shell", .choices = {"bash", "zsh", "fish"}}}};
}

Command version_command() { return {.name = "version", .summary = "print the version", .flags = {output_flag()}}; }

Command help_command() {
  return {.name = "help",
          .summary = "explain a command or a topic",
          .examples = {{"nimbusctl help status", "the same as 'nimbusctl status --help'"},
                       {"nimbusctl help exit-codes", "a topic"}},
          .positionals = {{.name = "WORD",
                           .help = "a command or a topic; default: a list of both",
                           .count = Count::Any,
                           .completer = "help"}}};
}

}  // namespace

base::CommandTable command_table() {
  base::CommandTable table;
  table.root = {.name = "nimbusctl",
                .summary = "work with a Nimbus registry and the machines in it",
                .description =
                    "nimbusctl checks, explains and shows a registry: a Git repository of TOML files that "
                    "describes bare-metal machines. It works on a checkout or a bare repository and needs "
                    "no server.",
                .examples = {{"nimbusctl validate", "is the registry in this folder valid?"},
                             {"nimbusctl plan --base origin/main", "what would this branch do?"},
                             {"nimbusctl status", "how are the machines?"}},
                .commands = {init_command(), validate_command(), plan_command(), approve_command(), status_command(),
                             instance_command(), place_command(), provider_command(), show_command(), explain_command(),
                             schema_command(), fmt_command(), set_command(), unset_command(), export_command(),
                             config_command(), completion_command(), version_command(), help_command()}};
  // What asks nimbusd comes after what works on the registry alone.
  auto live = live_commands();
  auto& commands = table.root.commands;
  commands.insert(std::ranges::find(commands, "config", &base::Command::name), live.begin(), live.end());
  // What talks to hardware comes after what works on the registry alone.
  auto hardware = hardware_commands();
  commands.insert(std::ranges::find(commands, "config", &base::Command::name), hardware.begin(), hardware.end());
  table.global_flags = {
      {.name = "registry",
       .letter = 'C',
       .value = "DIR",
       .help = "the registry: a checkout or a bare repository; default: the current folder or one above it",
       .env = "NIMBUS_REGISTRY",
       .completer = std::string(base::kCompleteFolder)},
      server_flag(),
      {.name = "color", .value = "WHEN", .help = "colours", .choices = {"auto", "always", "never"}, .fallback = "auto"},
      {.name = "no-color", .help = "the same as --color=never; so is $NO_COLOR"},
      {.name = "quiet", .letter = 'q', .help = "no messages about what was done"}};
  table.exit_codes = exit_codes();
  table.topics = topics();
  table.version = kVersion;
  table.date = kReleaseDate;
  table.values = completer_values;
  return table;
}

Handler handler_of(const std::vector<std::string>& command) {
  struct Entry {
    std::vector<std::string> command;
    Handler handler;
  };
  static const std::vector<Entry> entries = {{{"init"}, run_init},
                                             {{"validate"}, run_validate},
                                             {{"plan"}, run_plan},
                                             {{"approve"}, run_approve},
                                             {{"status"}, run_status},
                                             {{"instance", "create"}, run_instance_create},
                                             {{"instance", "plan"}, run_instance_plan},
                                             {{"instance", "list"}, run_instance_list},
                                             {{"instance", "describe"}, run_instance_describe},
                                             {{"instance", "logs"}, run_instance_logs},
                                             {{"instance", "ssh"}, run_instance_ssh},
                                             {{"instance", "console"}, run_instance_console},
                                             {{"instance", "wait"}, run_instance_wait},
                                             {{"instance", "start"}, run_instance_start},
                                             {{"instance", "stop"}, run_instance_stop},
                                             {{"instance", "restart"}, run_instance_restart},
                                             {{"instance", "reinstall"}, run_instance_reinstall},
                                             {{"instance", "protect"}, run_instance_protect},
                                             {{"instance", "unprotect"}, run_instance_unprotect},
                                             {{"instance", "delete"}, run_instance_delete},
                                             {{"place"}, run_place},
                                             {{"provider", "list"}, run_provider_list},
                                             {{"provider", "describe"}, run_provider_describe},
                                             {{"show"}, run_show},
                                             {{"explain"}, run_explain},
                                             {{"schema", "print"}, run_schema_print},
                                             {{"schema", "install"}, run_schema_install},
                                             {{"fmt"}, run_fmt},
                                             {{"set"}, run_set},
                                             {{"unset"}, run_unset},
                                             {{"machine", "list"}, run_machine_list},
                                             {{"machine", "describe"}, run_machine_describe},
                                             {{"events"}, run_events},
                                             {{"reconcile"}, run_reconcile},
                                             {{"hold"}, run_hold},
                                             {{"resume"}, run_resume},
                                             {{"confirm"}, run_confirm},
                                             {{"drift"}, run_drift},
                                             {{"history"}, run_history},
                                             {{"trace"}, run_trace},
                                             {{"export"}, run_export},
                                             {{"audit", "verify"}, run_audit_verify},
                                             {{"audit", "list"}, run_audit_list},
                                             {{"controller", "backup"}, run_controller_backup},
                                             {{"controller", "restore"}, run_controller_restore},
                                             {{"config", "init"}, run_config_init},
                                             {{"config", "get"}, run_config_get},
                                             {{"config", "set"}, run_config_set},
                                             {{"config", "path"}, run_config_path},
                                             {{"completion"}, run_completion},
                                             {{"version"}, run_version},
                                             {{"help"}, run_help},
                                             {{"bmc", "probe"}, run_bmc_probe},
                                             {{"bmc", "pin"}, run_bmc_pin},
                                             {{"bmc", "rotate"}, run_bmc_rotate},
                                             {{"discover", "bmc"}, run_discover_bmc},
                                             {{"discover", "host"}, run_discover_host},
                                             {{"secret", "set"}, run_secret_set},
                                             {{"secret", "import"}, run_secret_import}};
  for (const auto& entry : entries) {
    if (entry.command == command) return entry.handler;
  }
  return nullptr;
}

}  // namespace nimbus::cli
