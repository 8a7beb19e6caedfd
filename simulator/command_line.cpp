#include "simulator/command_line.hpp"

namespace nimbus::simulator {

using base::CommandTable;
using base::Count;
using base::ValueType;

CommandTable command_line() {
  base::Command serve{
      .name = "serve",
      .summary = "serve the machines of a fleet file",
      .description =
          "Binds the addresses that the fleet file names and answers on them until it is told to stop (SIGTERM or "
          "SIGINT). Prints one line when every address is bound, or ends with an error that says which was not.\n\n"
          "Each machine has one state behind both of its protocols: what IPMI switches on, Redfish shows as on.",
      .examples = {{"nimbus-sim serve fleet.toml", "serve the machines of fleet.toml"},
                   {"nimbus-sim serve --control unix:/tmp/sim.sock fleet.toml",
                    "with a control port on a UNIX socket"}},
      .positionals = {{.name = "FILE", .help = "the fleet file", .completer = std::string(base::kCompleteFile)}},
      .flags = {{.name = "control",
                 .value = "WHERE",
                 .help = "Control port: unix:PATH or a loopback HOST:PORT; overrides the file's"},
                {.name = "faults",
                 .value = "FILE",
                 .help = "A script of [[fault]] tables, in force from the start",
                 .completer = std::string(base::kCompleteFile)},
                {.name = "seed",
                 .value = "N",
                 .help = "Seed of everything random; overrides the file's",
                 .type = ValueType::Number}},
  };
  base::Command check{
      .name = "check",
      .summary = "check a fleet file and list its machines",
      .examples = {{"nimbus-sim check fleet.toml", "print name, profile and addresses of each machine"}},
      .positionals = {{.name = "FILE", .help = "the fleet file", .completer = std::string(base::kCompleteFile)}},
  };
  base::Command quirks{
      .name = "quirks",
      .summary = "list the quirks and the vendor profiles that use them",
      .examples = {{"nimbus-sim quirks", "print id, evidence and profiles of each quirk"}},
      .flags = {{.name = "profile", .value = "NAME", .help = "Only those of one profile"}},
  };
  CommandTable table;
  table.root = {
      .name = "nimbus-sim",
      .summary = "a fleet of simulated BMCs, polite or hostile",
      .description =
          "Serves machines that do not exist over IPMI and Redfish, so that a controller can be tried, tested "
          "and measured without hardware. A fleet file says which machines there are and how they behave.",
      .commands = {std::move(serve), std::move(check), std::move(quirks)}};
  table.exit_codes = {
      {0, "success"}, {1, "the fleet file is wrong, or an address cannot be bound"}, {64, "the command line is wrong"}};
  table.version = "0.1.0";
  table.date = "2026-11-23";
  return table;
}

}  // namespace nimbus::simulator
