#include "cli/live/commands.hpp"

#include "cli/browse_commands.hpp"

namespace nimbus::cli {
namespace {

using base::Command;
using base::Count;
using base::Flag;
using base::Positional;

const std::vector<base::ExitCode>& live_codes() {
  static const std::vector<base::ExitCode> codes = {
      {4, "nimbusd does not allow it"}, {5, "no such machine"}, {9, "nimbusd does not answer"}};
  return codes;
}

Positional machine_positional() {
  return {.name = "MACHINE", .help = "its name, or PROVIDER/MACHINE", .completer = "provider-machine"};
}

Positional hold_positional() {
  return {.name = "MACHINE|all", .help = "one machine, or 'all'", .completer = "provider-machine"};
}

Flag local_flag() {
  return {.name = "local",
          .help = "on the controller, without Git: the only kind of hold; in Git it is hands_off = true of a machine"};
}

Command machine_command() {
  return {.name = "machine",
          .summary = "machines as nimbusd sees them now",
          .commands = {{.name = "list",
                        .summary = "list machines",
                        .examples = {{"nimbusctl machine list", "all of them"},
                                     {"nimbusctl machine list --health trouble -o name", "names, for a script"}},
                        .flags = {{.name = "health",
                                   .value = "HEALTH",
                                   .help = "only machines that are so",
                                   .choices = {"ok", "attention", "unknown", "trouble"}},
                                  output_flag()},
                        .exit_codes = live_codes()},
                       {.name = "describe",
                        .summary = "describe a machine: observation, decision, conditions, runs",
                        .examples = {{"nimbusctl machine describe m017", "everything that is known now"}},
                        .positionals = {machine_positional()},
                        .flags = {output_flag()},
                        .exit_codes = live_codes()}}};
}

Command events_command() {
  return {.name = "events",
          .summary = "show what happens at nimbusd",
          .description = "Without --watch, what nimbusd still has in memory; with it, only what comes, until Ctrl-C.",
          .examples = {{"nimbusctl events -w", "watch"},
                       {"nimbusctl events -w --machine m017 -o jsonl", "one machine, for a program"}},
          .flags = {{.name = "watch", .letter = 'w', .help = "wait for more"},
                    {.name = "machine",
                     .value = "MACHINE",
                     .help = "only events of this machine",
                     .completer = "provider-machine"},
                    output_flag()},
          .exit_codes = live_codes()};
}

Command reconcile_command() {
  return {.name = "reconcile",
          .summary = "have nimbusd look at a machine, or at an instance's host, now",
          .examples = {{"nimbusctl reconcile m017", "before everything else"},
                       {"nimbusctl reconcile acme/web-1", "the host; what rests after failures is tried again"}},
          .positionals = {machine_positional()},
          .exit_codes = live_codes()};
}

Command hold_command() {
  return {
      .name = "hold",
      .summary = "stop all writes to a machine, or to all",
      .description =
          "The hold is kept on the controller, outside of its data folder: it survives restarts and a deleted data "
          "folder, and needs neither Git nor the forge. It is asked for just before each write; what a device was "
          "told already is not undone. Status shows it. Reading goes on.",
      .examples = {{"nimbusctl hold --local m017 --reason 'moving the rack'", "one machine"},
                   {"nimbusctl hold --local all --reason 'power failure'", "every machine of this controller"}},
      .positionals = {hold_positional()},
      .flags = {{.name = "reason", .value = "TEXT", .help = "why, for whoever finds it", .fallback = "no reason given"},
                local_flag()},
      .exit_codes = live_codes()};
}

Command resume_command() {
  return {
      .name = "resume",
      .summary = "lift a hold",
      .description = "Lifting the hold of all machines leaves those of single machines.",
      .examples = {{"nimbusctl resume --local m017", "one machine"}, {"nimbusctl resume --local all", "that of all"}},
      .positionals = {hold_positional()},
      .flags = {local_flag()},
      .exit_codes = live_codes()};
}

Command confirm_command() {
  return {
      .name = "confirm",
      .summary = "go on from a registry whose history was rewritten",
      .description =
          "nimbusd holds a tip that does not descend from what it saw before: only its brakes count, until "
          "somebody says that the rewriting was meant. Find out who pushed, and read what the new tip would do "
          "('nimbusctl plan'), before you confirm it.",
      .examples = {{"nimbusctl confirm COMMIT --reason 'secret removed from the history'",
                    "the whole id, as nimbusd's log and status.toml name it"}},
      .positionals = {{.name = "COMMIT", .help = "the tip that is held: 40 hexadecimal digits"}},
      .flags = {{.name = "reason", .value = "TEXT", .help = "why, for the audit log", .fallback = "no reason given"}},
      .exit_codes = {
          {4, "nimbusd does not allow it"}, {6, "another tip is held, or none"}, {9, "nimbusd does not answer"}}};
}

Command drift_command() {
  return {.name = "drift",
          .summary = "list what differs from the registry",
          .description =
              "From the status branches of the local clone, without a server: machines, and hosts that are "
              "configured. Of one instance nimbusd is asked, which also has diffs of files that are no "
              "secrets.",
          .examples = {{"nimbusctl drift", "at all providers"},
                       {"nimbusctl drift acme/web-1", "of one instance's host, with diffs"},
                       {"nimbusctl drift --exit-code", "for a script: 2 if there is any"}},
          .positionals = {{.name = "PROVIDER",
                           .help = "only at this one, or TENANT/INSTANCE",
                           .count = Count::AtMostOne,
                           .completer = "provider"}},
          .flags = {{.name = "exit-code", .help = "exit with 2 if there is any"}, output_flag()},
          .exit_codes = {{2, "with --exit-code: something differs"}}};
}

Command history_command() {
  return {
      .name = "history",
      .summary = "what happened to a machine, from the status commits",
      .examples = {{"nimbusctl history m017", "newest first"},
                   {"nimbusctl history berlin-1/m017 -o json", "for a program"}},
      .positionals = {machine_positional()},
      .flags =
          {{.name = "limit", .value = "N", .help = "most entries", .fallback = "20", .type = base::ValueType::Number},
           output_flag()},
      .exit_codes = {{5, "nobody reported such a machine"}}};
}

Command trace_command() {
  return {.name = "trace",
          .summary = "from a machine's status to the commit and person behind it",
          .description =
              "The status commit that last told of the machine, the registry commit that was in force, and the commit "
              "that last changed the machine's file, each with its author.",
          .examples = {{"nimbusctl trace m017", "who asked for this?"}},
          .positionals = {machine_positional()},
          .flags = {output_flag()},
          .exit_codes = {{5, "nobody reported such a machine"}}};
}

Flag folder_flag() {
  return {.name = "folder",
          .value = "DIR",
          .help = "where the controller keeps it",
          .fallback = "/var/lib/nimbus/audit",
          .completer = std::string(base::kCompleteFolder)};
}

Command audit_command() {
  return {
      .name = "audit",
      .summary = "the controller's record of every write to a device",
      .commands = {{.name = "verify",
                    .summary = "check that nothing in the audit log was changed, removed or reordered",
                    .description = "Walks the hash chain and compares it with the head that the status branch keeps: "
                                   "what was cut off at the "
                                   "end shows only there. An unfinished last line, as a crash leaves it, is no fault.",
                    .examples = {{"nimbusctl audit verify -C /srv/registry",
                                  "on the controller, against the status branch of that clone"},
                                 {"nimbusctl audit verify --folder ./audit --provider berlin-1", "a copy, anywhere"}},
                    .flags = {folder_flag(),
                              {.name = "provider",
                               .value = "PROVIDER",
                               .help = "whose status branch keeps the head; default: the only one",
                               .completer = "provider"},
                              output_flag()},
                    .exit_codes = {{3, "the log was tampered with, or is damaged"},
                                   {5, "there is no log, or no head to compare with"}}},
                   {.name = "list",
                    .summary = "list the newest lines of the audit log",
                    .examples = {{"nimbusctl audit list --limit 20", "who had what done, and what came of it"}},
                    .flags = {folder_flag(),
                              {.name = "limit",
                               .value = "N",
                               .help = "most lines",
                               .fallback = "100",
                               .type = base::ValueType::Number},
                              output_flag()},
                    .exit_codes = {{5, "there is no log"}}}}};
}

Command controller_command() {
  const Positional file = {.name = "FILE", .help = "the backup", .completer = std::string(base::kCompleteFile)};
  return {
      .name = "controller",
      .summary = "back up and restore what a controller cannot get back from Git",
      .commands = {
          {.name = "backup",
           .summary = "write configuration, keys, secrets, trust roots and local holds to one file",
           .description =
               "Saves nimbusd.toml and every file or folder that it names, except the data folder and the audit log: "
               "data "
               "may be lost, and the audit log is a log. The backup holds secrets; it is readable by its owner only.",
           .examples = {{"nimbusctl controller backup --verify /root/nimbus.backup", "and read it back"}},
           .positionals = {file},
           .flags = {{.name = "config",
                      .value = "FILE",
                      .help = "the controller's configuration",
                      .fallback = "/etc/nimbus/nimbusd.toml",
                      .completer = std::string(base::kCompleteFile)},
                     {.name = "verify", .help = "read it back and compare"}}},
          {.name = "restore",
           .summary = "bring back what a backup holds",
           .description = "Nothing is written unless the backup is whole, and no file that is other on disk is "
                          "replaced unasked. A "
                          "restored controller takes a new term: if the old one still runs, it steps down.",
           .examples = {{"nimbusctl controller restore --verify /root/nimbus.backup",
                         "is it whole, and what would change?"},
                        {"nimbusctl controller restore /root/nimbus.backup", "on a new machine"}},
           .positionals = {file},
           .flags = {{.name = "verify", .help = "change nothing; list what is missing or other on disk"},
                     {.name = "overwrite", .help = "replace files that are other on disk"},
                     {.name = "root",
                      .value = "DIR",
                      .help = "below this folder",
                      .fallback = "/",
                      .completer = std::string(base::kCompleteFolder)}},
           .exit_codes = {{2, "with --verify: something is missing or other on disk"},
                          {6, "a file is other on disk"}}}}};
}

}  // namespace

Flag server_flag() {
  return {.name = "server",
          .value = "ADDRESS",
          .help = "nimbusd: unix:/path, or a loopback address for reading; default: unix:/run/nimbus/control.sock",
          .env = "NIMBUS_SERVER"};
}

std::vector<Command> live_commands() {
  return {machine_command(), events_command(),  reconcile_command(), hold_command(),
          resume_command(),  confirm_command(), drift_command(),     history_command(),
          trace_command(),   audit_command(),   controller_command()};
}

}  // namespace nimbus::cli
