// The one table that nimbusctl's parsing, help, completion, man pages and reference
// page come from.
#include "base/args/complete.hpp"
#include "cli/completer.hpp"
#include "cli/context.hpp"
#include "cli/topics.hpp"
#include "cli/version.hpp"

namespace nimbus::cli {
namespace {

using base::Command;
using base::Count;
using base::Flag;

Flag output_flag() {
  return {.name = "output",
          .letter = 'o',
          .value = "FORMAT",
          .help = "how to print",
          .choices = format_names(),
          .fallback = "table",
          .env = "NIMBUS_OUTPUT"};
}

Command status_command() {
  return {.name = "status",
          .summary = "show what the controllers reported",
          .description =
              "Reads the status branches of the local clone: what 'git fetch' brought last. Without a name, a line for "
              "each provider and every machine that is not well; with a provider, all its machines; with a machine, "
              "everything known about it.\n\nHealth is one word: ok, attention (drift, hold, maintenance), trouble "
              "(not ready), unknown (not observed).",
          .examples = {{"nimbusctl status", "all providers, and what needs attention"},
                       {"nimbusctl status berlin-1", "all machines of a provider"},
                       {"nimbusctl status berlin-1/m017", "one machine with its conditions and last runs"},
                       {"nimbusctl status -C /srv/registry.git -o json", "from a bare repository, for a program"}},
          .positionals = {{.name = "PROVIDER[/MACHINE]",
                           .help = "what to show; default: everything",
                           .count = Count::AtMostOne,
                           .completer = "provider-machine"}},
          .flags = {output_flag()},
          .exit_codes = {{5, "no such provider or machine, or nothing reported yet"}}};
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
                .examples = {{"nimbusctl status", "how are the machines?"}},
                .commands = {status_command(), completion_command(), version_command(), help_command()}};
  table.global_flags = {
      {.name = "registry",
       .letter = 'C',
       .value = "DIR",
       .help = "the registry: a checkout or a bare repository; default: the current folder or one above it",
       .env = "NIMBUS_REGISTRY",
       .completer = std::string(base::kCompleteFolder)},
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
  static const std::vector<Entry> entries = {
      {{"status"}, run_status}, {{"completion"}, run_completion}, {{"version"}, run_version}, {{"help"}, run_help}};
  for (const auto& entry : entries) {
    if (entry.command == command) return entry.handler;
  }
  return nullptr;
}

}  // namespace nimbus::cli
