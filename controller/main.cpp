// nimbusd: reads its command line and configuration, wires the parts, waits for
// SIGTERM.
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <variant>

#include <pthread.h>
#include <sys/resource.h>

#include <fmt/core.h>

#include "base/args/args.hpp"
#include "base/log/log.hpp"
#include "controller/config/config.hpp"
#include "controller/daemon.hpp"

namespace {

using namespace nimbus;

base::CommandTable command_table() {
  base::CommandTable program;
  program.root.name = "nimbusd";
  program.root.summary = "the controller of one provider";
  program.root.description =
      "Watches a registry repository, compares what it wants with what BMCs show, acts, and writes status back as "
      "commits. Stops on SIGTERM, after what is under way.";
  program.root.examples = {
      {"nimbusd --config /etc/nimbus/nimbusd.toml", "run the controller"},
      {"nimbusd --check-config --config ./nimbusd.toml", "check a configuration and list all of its faults"}};
  program.root.flags = {
      {.name = "config", .letter = 'c', .value = "FILE", .help = "the configuration",
       .fallback = "/etc/nimbus/nimbusd.toml", .completer = std::string(base::kCompleteFile)},
      {.name = "check-config", .help = "only check the configuration"}};
  program.root.exit_codes = {{1, "could not start, or stopped by a fault"}, {3, "the configuration is not valid"}};
  program.exit_codes = {{0, "success"}, {base::kExitUsage, "the command line is wrong"}};
  program.version = NIMBUS_VERSION;
  program.man_section = 8;
  return program;
}

/// SIGTERM, SIGINT: stop. Blocked in every thread, waited for in this one.
sigset_t stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

/// About two descriptors per machine: the usual soft limit of 1,024 would be too few,
/// and the hard one is what the administrator allows.
void allow_many_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

int run(const controller::Config& config) {
  allow_many_descriptors();
  std::signal(SIGPIPE, SIG_IGN);  // a peer that hangs up is an error of the write, not our end
  const sigset_t signals = stop_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  auto daemon = controller::Daemon::start(config);
  if (!daemon) {
    base::log(base::Level::Error, "start-failed", daemon.error().text());
    return 1;
  }
  int received = 0;
  sigwait(&signals, &received);
  base::log(base::Level::Info, "stopping", "finishing what is under way");
  (*daemon)->stop();
  base::log(base::Level::Info, "stopped", "all work is done");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    auto parsed = base::parse(command_table(), argc, argv);
    if (const auto* exit = std::get_if<base::ExitNow>(&parsed)) return base::finish(*exit);
    const auto& arguments = std::get<base::Parsed>(parsed);
    const auto config = controller::load_config(arguments.text("config"));
    if (!config) {
      fmt::print(stderr, "{}\n", config.error().text());
      return config.error().code == Code::Invalid ? 3 : 1;
    }
    if (arguments.flag("check-config")) {
      fmt::print("{}: valid\n", arguments.text("config"));
      return 0;
    }
    base::configure_log(*base::parse_level(config->log_level), *base::parse_log_format(config->log_format));
    return run(*config);
  } catch (const std::exception& broken) {
    fmt::print(stderr, "nimbusd: {}\n", broken.what());
    return 1;
  }
}
