// nimbus-boot: serves machines that boot from the network what nimbusd says.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <variant>

#include <pthread.h>
#include <sys/resource.h>

#include <fmt/core.h>

#include "base/args/args.hpp"
#include "base/log/log.hpp"
#include "boot/daemon.hpp"

namespace {

using namespace nimbus;

base::CommandTable command_table() {
  base::CommandTable program;
  program.root.name = "nimbus-boot";
  program.root.summary = "serves machines that boot from the network";
  program.root.description =
      "Answers machines of one provisioning network: DHCP and TFTP through dnsmasq, boot scripts, the installer, "
      "signed "
      "plans and reports. nimbusd tells it over a UNIX socket what to serve to whom; without that, every machine boots "
      "its disk. Stops on SIGTERM.";
  program.root.examples = {{"nimbus-boot --config /etc/nimbus/nimbus-boot.toml", "serve"},
                           {"nimbus-boot --check-config", "check the configuration and list what is wrong or missing"}};
  program.root.flags = {{.name = "config",
                         .letter = 'c',
                         .value = "FILE",
                         .help = "the configuration",
                         .fallback = "/etc/nimbus/nimbus-boot.toml",
                         .completer = std::string(base::kCompleteFile)},
                        {.name = "check-config", .help = "only check the configuration and what it names"}};
  program.root.exit_codes = {{1, "could not start"}, {3, "the configuration is not valid"}};
  program.exit_codes = {{0, "success"}, {base::kExitUsage, "the command line is wrong"}};
  program.version = NIMBUS_VERSION;
  program.man_section = 8;
  return program;
}

int check(const boot::Config& config) {
  const auto missing = boot::missing_here(config);
  for (const auto& line : missing) fmt::print(stderr, "{}\n", line);
  return missing.empty() ? 0 : 3;
}

/// nginx, which inherits it, needs two descriptors for each machine that fetches something.
void allow_descriptors() {
  constexpr rlim_t kWanted = 32768;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= kWanted) return;
  limit.rlim_cur = limit.rlim_max == RLIM_INFINITY ? kWanted : std::min(limit.rlim_max, kWanted);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

int serve(const boot::Config& config) {
  std::signal(SIGPIPE, SIG_IGN);
  allow_descriptors();
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  auto daemon = boot::Daemon::start(config);
  if (!daemon) {
    base::log(base::Level::Error, "start-failed", daemon.error().text());
    return 1;
  }
  int received = 0;
  sigwait(&signals, &received);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    auto parsed = base::parse(command_table(), argc, argv);
    if (const auto* exit = std::get_if<base::ExitNow>(&parsed)) return base::finish(*exit);
    const auto& arguments = std::get<base::Parsed>(parsed);
    const auto config = boot::load_config(arguments.text("config"));
    if (!config) {
      fmt::print(stderr, "{}\n", config.error().text());
      return config.error().code == Code::Invalid ? 3 : 1;
    }
    return arguments.flag("check-config") ? check(*config) : serve(*config);
  } catch (const std::exception& broken) {
    fmt::print(stderr, "nimbus-boot: {}\n", broken.what());
    return 1;
  }
}
