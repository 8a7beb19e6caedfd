// nimbusctl discover host.
#include "base/process/process.hpp"
#include "cli/hardware/commands.hpp"
#include "cli/hardware/host_facts.hpp"

namespace nimbus::cli {
namespace {

/// lldpd's own program, where it is installed and may be asked.
std::map<std::string, SwitchPort> neighbours(const Clock& clock) {
  const Call call{.deadline = clock.now() + std::chrono::seconds(5)};
  const auto done =
      base::run_program({.argv = {"lldpctl", "-f", "keyvalue"}, .environment = {"LC_ALL=C"}}, call, clock);
  if (!done || done->end != base::ProgramEnd::Exited || done->exit_code != 0) return {};
  return parse_lldp(done->output.text);
}

}  // namespace

Exit run_discover_host(Context& context) {
  const std::string root = context.args.text("root");
  ProposedMachine host = read_host(root);
  if (root == "/") {
    const auto all = neighbours(context.clock);
    for (const auto& port : host.inventory.ports.value_or(std::vector<NetworkPort>())) {
      const auto found = all.find(port.name);
      if (found != all.end()) host.switches[port.mac] = found->second;
    }
  }
  context.console.out(machine_file_text(host));
  if (host.identity.empty()) context.console.warning("no serial number and no UUID: run this as root");
  return Exit::Ok;
}

}  // namespace nimbus::cli
