// nimbus-installer: the one program of the ramdisk. It is started by /init when the
// network is up, does what the signed plan says, and restarts or powers off.
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <thread>

#include "base/file/file.hpp"
#include "base/time/time.hpp"
#include "installer/neighbours.hpp"
#include "installer/root_file_system.hpp"
#include "installer/run.hpp"
#include "installer/source_rules.hpp"

namespace {

using namespace nimbus;

void say(const std::string& line) { std::fprintf(stderr, "nimbus-installer: %s\n", line.c_str()); }

/// Waits for the network or the disk to come back; longer each time.
void pause(int failure) { std::this_thread::sleep_for(std::chrono::seconds(std::min(failure, 10))); }

installer::Tools tools_for(installer::Home& home, const Clock& clock, installer::Neighbours& neighbours) {
  return {.home = home,
          .clock = clock,
          .machine = [] { return installer::read_machine(""); },
          .inventory = [](const auto& machine) { return installer::inventory_of(machine, ""); },
          .open = [](const auto& disk, auto access) { return installer::open_device(disk.node, access); },
          .source = [&clock](const std::string& url, const auto& plan) -> std::unique_ptr<base::ByteSource> {
            return std::make_unique<base::HttpSource>(url, clock, installer::source_rules(plan, url));
          },
          .plant = [](const auto& disk, const auto& root,
                      const auto& files) { return installer::plant_seed(disk.node, root, files); },
          .pause = pause,
          .say = say,
          .neighbours = [&neighbours] { return neighbours.heard(); }};
}

installer::Ending install(const Clock& clock) {
  auto command_line = base::read_file("/proc/cmdline", 64 * 1024);
  if (!command_line) {
    say(command_line.error().text());
    return installer::Ending::Failed;
  }
  auto facts = installer::read_boot_facts(*command_line);
  if (!facts) {
    say(facts.error().text());
    return installer::Ending::Failed;
  }
  installer::HttpHome home(*facts, clock);
  installer::Neighbours neighbours("", clock);
  return installer::run_plan(tools_for(home, clock, neighbours), *facts);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) {
    std::fputs("nimbus-installer " NIMBUS_VERSION "\nRuns as the only program of the installer's ramdisk.\n", stdout);
    return std::string_view(argv[1]) == "--version" || std::string_view(argv[1]) == "--help" ? 0 : 64;
  }
  // Anywhere else it would erase the disk of a machine that somebody uses.
  if (::access("/etc/nimbus-ramdisk", F_OK) != 0) {
    std::fputs("nimbus-installer: this is not the installer's ramdisk; nothing is done\n", stderr);
    return 1;
  }
  const base::SystemClock clock;
  const auto ending = install(clock);
  ::sync();
  const bool restart = ending == installer::Ending::Installed;
  say(restart ? "restarting" : "powering off");
  ::reboot(restart ? RB_AUTOBOOT : RB_POWER_OFF);
  return 1;
}
