#include "cli/browse_commands.hpp"

#include "cli/kinds.hpp"
#include "cli/listing.hpp"

namespace nimbus::cli {
namespace {

using base::Command;
using base::Count;
using base::Flag;

Flag revision_flag() {
  return {.name = "rev",
          .value = "REV",
          .help = "look at this commit instead of the files on disk",
          .completer = "revision"};
}

}  // namespace

Flag output_flag() {
  return {.name = "output",
          .letter = 'o',
          .value = "FORMAT",
          .help = "how to print",
          .choices = format_names(),
          .fallback = "table",
          .env = "NIMBUS_OUTPUT"};
}

Command provider_command() {
  return {.name = "provider",
          .summary = "the sites of the registry",
          .commands = {{.name = "list",
                        .summary = "list providers",
                        .examples = {{"nimbusctl provider list", "with the number of machines"}},
                        .flags = {revision_flag(), output_flag()}},
                       {.name = "describe",
                        .summary = "describe a provider and its machines",
                        .examples = {{"nimbusctl provider describe berlin-1", "what the registry says"}},
                        .positionals = {{.name = "PROVIDER", .help = "which one", .completer = "provider"}},
                        .flags = {revision_flag(), output_flag()},
                        .exit_codes = {{5, "no such provider"}}}}};
}

Command show_command() {
  return {.name = "show",
          .summary = "show an object with all its values",
          .description =
              "A machine's values are merged: provider defaults, then its class, then its own file, key by key. "
              "Defaults of the format are shown as well.",
          .examples = {{"nimbusctl show machine berlin-1/m017 --origin", "where each value comes from"},
                       {"nimbusctl show machine m017", "a name that only one provider has"},
                       {"nimbusctl show registry --set-only -o json", "what the file says, for a program"}},
          .positionals = {{.name = "KIND", .help = "kind of object", .choices = kind_names()},
                          {.name = "NAME",
                           .help = "PROVIDER/NAME, TENANT/NAME or NAME; nothing for kinds with a single file",
                           .count = Count::AtMostOne,
                           .completer = "provider-machine"}},
          .flags = {{.name = "origin", .help = "with the file and line of each value"},
                    {.name = "set-only", .help = "without the format's defaults"},
                    revision_flag(),
                    output_flag()},
          .exit_codes = {{5, "no such object, or the name is not clear"}}};
}

Command explain_command() {
  return {.name = "explain",
          .summary = "explain the keys of registry files",
          .examples = {{"nimbusctl explain", "all kinds of files"},
                       {"nimbusctl explain machine", "every key of a machine's file"},
                       {"nimbusctl explain machine.bmc.driver", "one key"}},
          .positionals = {{.name = "KIND[.KEY]",
                           .help = "a kind of file, or a key of it; default: a list of kinds",
                           .count = Count::AtMostOne,
                           .completer = "kind-key"}},
          .flags = {output_flag()},
          .exit_codes = {{5, "no such kind or key"}}};
}

Command schema_command() {
  return {.name = "schema",
          .summary = "JSON Schemas of the registry's files, for editors",
          .commands = {
              {.name = "print",
               .summary = "print the schema of a kind of file (JSON Schema, Draft 4)",
               .examples = {{"nimbusctl schema print machine", "for a machine's file"}},
               .positionals = {{.name = "KIND", .help = "kind of file", .choices = kind_names()}}},
              {.name = "install",
               .summary = "write schemas and taplo's configuration into the registry",
               .description = "Writes .nimbus/schemas/ and .taplo.toml, which editors with TOML support based on taplo "
                              "read. Run it again after an update; it prints the files that changed.",
               .examples = {{"nimbusctl schema install", "into the registry in the current folder"}}}}};
}

}  // namespace nimbus::cli
