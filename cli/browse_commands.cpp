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
          .env = "NIMBUS_OUTPUT",
          .alias = "format"};
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
  return {
      .name = "explain",
      .summary = "explain the keys of registry files, or why a machine is as it is",
      .description =
          "With the name of a machine, asks nimbusd: its state and since when, what it waits for and until when, the "
          "last error, the last observation, and the next step.",
      .examples = {{"nimbusctl explain", "all kinds of files"},
                   {"nimbusctl explain machine", "every key of a machine's file"},
                   {"nimbusctl explain machine.bmc.driver", "one key"},
                   {"nimbusctl explain machine m017", "why is m017 as it is, and what comes next?"}},
      .positionals = {{.name = "KIND[.KEY]",
                       .help = "a kind of file, or a key of it; default: a list of kinds",
                       .count = Count::AtMostOne,
                       .completer = "kind-key"},
                      {.name = "NAME",
                       .help = "after 'machine': a machine of the running nimbusd",
                       .count = Count::AtMostOne,
                       .completer = "provider-machine"}},
      .flags = {output_flag()},
      .exit_codes = {{5, "no such kind, key or machine"}, {9, "nimbusd does not answer"}}};
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

Command set_command() {
  return {
      .name = "set",
      .summary = "change keys of a registry file in place",
      .description =
          "Comments, order and layout stay byte for byte; only the values change. A key that is not there yet goes "
          "behind the others of its table. VALUE is text where the key takes text, else TOML: 17, true, "
          "[\"A\", \"B\"]. An element of a [[list]] is named by its number, from 0; one behind the last makes a new "
          "one.\n\nThe registry is checked with the new values first; if they would bring an error, "
          "nothing is written. Give keys that only make sense together in one command. Prints the name of the file "
          "that it changed; commit it as any other edit.",
      .examples = {{"nimbusctl set machine berlin-1/m017 lifecycle.hands_off=true", "the brake of one machine"},
                   {"nimbusctl set machine m017 location.rack=b3 location.unit=4", "two keys at once"},
                   {"nimbusctl set machine m017 hardware.disk.0.size_gib=960", "a key of the first [[hardware.disk]]"},
                   {"nimbusctl set instance acme/web-1 reinstall=2", "ask for a new installation"},
                   {"nimbusctl set limits 'destructive.count=5'", "a kind with a single file needs no name"}},
      .positionals = {{.name = "KIND", .help = "kind of object", .choices = kind_names()},
                      {.name = "WORD",
                       .help = "NAME (PROVIDER/NAME, TENANT/NAME or NAME; not for kinds with a single file), then "
                               "KEY=VALUE, as often as needed",
                       .count = base::Count::AtLeastOne,
                       .completer = "provider-machine"}},
      .exit_codes = {{3, "the new values would bring errors; nothing was written"}, {5, "no such object"}}};
}

Command unset_command() {
  return {.name = "unset",
          .summary = "remove keys of a registry file in place",
          .description =
              "As 'nimbusctl set': everything else stays byte for byte, and nothing is written that would "
              "bring an error. A table goes with all its keys.",
          .examples = {{"nimbusctl unset machine berlin-1/m017 lifecycle", "a table"},
                       {"nimbusctl unset machine m017 hardware.nic.1", "the second [[hardware.nic]]"},
                       {"nimbusctl unset instance acme/web-1 labels.tier", "one key"}},
          .positionals = {{.name = "KIND", .help = "kind of object", .choices = kind_names()},
                          {.name = "WORD",
                           .help = "NAME (not for kinds with a single file), then the keys",
                           .count = base::Count::AtLeastOne,
                           .completer = "provider-machine"}},
          .exit_codes = {{3, "the registry would have an error without it; nothing was written"},
                         {5, "no such object or key"}}};
}

}  // namespace nimbus::cli
