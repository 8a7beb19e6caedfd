// nimbusd: reads its command line and configuration, wires the parts, waits for
// signals, and tells the service manager how it is.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <exception>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <pthread.h>
#include <sys/resource.h>

#include <fmt/core.h>

#include "base/args/args.hpp"
#include "base/log/log.hpp"
#include "base/process/self.hpp"
#include "base/service/service_manager.hpp"
#include "controller/config/config.hpp"
#include "controller/daemon.hpp"
#include "controller/surroundings.hpp"

namespace {

using namespace nimbus;

base::CommandTable command_table() {
  base::CommandTable program;
  program.root.name = "nimbusd";
  program.root.summary = "the controller of one provider";
  program.root.description =
      "Watches a registry repository, compares what it wants with what BMCs show, acts, and writes status back as "
      "commits. SIGHUP reads the configuration again; SIGTERM stops it, after what is under way.";
  program.root.examples = {
      {"nimbusd --config /etc/nimbus/nimbusd.toml", "run the controller"},
      {"nimbusd --check-config --config ./nimbusd.toml", "check a configuration and list all of its faults"}};
  program.root.flags = {{.name = "config",
                         .letter = 'c',
                         .value = "FILE",
                         .help = "the configuration",
                         .fallback = "/etc/nimbus/nimbusd.toml",
                         .completer = std::string(base::kCompleteFile)},
                        {.name = "check-config", .help = "only check the configuration"}};
  program.root.exit_codes = {{1, "could not start, or stopped by a fault"}, {3, "the configuration is not valid"}};
  program.exit_codes = {{0, "success"}, {base::kExitUsage, "the command line is wrong"}};
  program.version = NIMBUS_VERSION;
  program.man_section = 8;
  return program;
}

/// SIGTERM, SIGINT: stop; SIGHUP: reload. Blocked in every thread, waited for in this one.
sigset_t awaited_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  return signals;
}

void set_log(const controller::Config& config) {
  base::configure_log(*base::parse_level(config.log_level), *base::parse_log_format(config.log_format));
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

/// A descriptor per machine: the usual soft limit of 1,024 would be too few,
/// and the hard one is what the administrator allows.
void allow_many_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

/// What is wrong with the file is said, and what was in force stays.
void reload(controller::Daemon& daemon, const std::string& path) {
  using base::Level;
  const auto next = controller::load_config(path);
  const auto taken = next ? daemon.reload(*next) : Result<controller::Reload>(next.error());
  if (!taken) {
    base::log(Level::Error, "reload-failed", taken.error().text());
    return;
  }
  set_log(taken->config);
  base::log(Level::Info, "reloaded",
            taken->taken.empty() ? "no key changed; secrets were read again" : "in force from now on",
            {{"keys", joined(taken->taken)}});
  if (!taken->restart.empty()) {
    base::log(Level::Warning, "restart-needed", "changed keys that count from the next start only",
              {{"keys", joined(taken->restart)}});
  }
}

/// Feeds the watchdog while the work gets on, and answers SIGHUP, until told to stop.
class Life {
 public:
  Life(controller::Daemon& daemon, std::string path, const base::ServiceManager& manager)
      : daemon_(daemon), path_(std::move(path)), manager_(manager) {}

  void run(const sigset_t& signals) {
    manager_.ready(daemon_.summary());
    for (;;) {
      const timespec wait = interval();
      const int received = sigtimedwait(&signals, nullptr, &wait);
      if (received == SIGTERM || received == SIGINT) return;
      if (received == SIGHUP) {
        manager_.reloading(std::chrono::steady_clock::now());
        reload(daemon_, path_);
        manager_.ready(daemon_.summary());
      }
      look();
    }
  }

 private:
  timespec interval() const {
    constexpr std::chrono::microseconds kLongest = std::chrono::seconds(10);
    const auto wait = manager_.watchdog() ? std::min(*manager_.watchdog() / 2, kLongest) : kLongest;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(wait);
    return {.tv_sec = seconds.count(), .tv_nsec = std::chrono::nanoseconds(wait - seconds).count()};
  }

  /// A part that stands still is said once. Whether that ends the program is the service
  /// manager's decision: it hears no more.
  void look() {
    const std::string stuck = daemon_.standstill();
    if (!stuck.empty() && stuck != stuck_) base::log(base::Level::Error, "standstill", stuck);
    stuck_ = stuck;
    if (!stuck.empty()) {
      manager_.status(stuck);
      return;
    }
    manager_.alive();
    manager_.status(daemon_.summary());
  }

  controller::Daemon& daemon_;
  const std::string path_;
  const base::ServiceManager& manager_;
  std::string stuck_;
};

int check(const controller::Config& config, const std::string& path) {
  const auto faults = controller::faults_of_surroundings(config);
  for (const auto& fault : faults) fmt::print(stderr, "{}: {}\n", path, fault);
  if (!faults.empty()) return 3;
  for (const auto& doubt : controller::doubts_of_surroundings(config))
    fmt::print(stderr, "{}: note: {}\n", path, doubt);
  fmt::print("{}: valid\n", path);
  return 0;
}

int run(const controller::Config& config, const std::string& path) {
  base::keep_memory_private();
  allow_many_descriptors();
  std::signal(SIGPIPE, SIG_IGN);  // a peer that hangs up is an error of the write, not our end
  const sigset_t signals = awaited_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  const base::ServiceManager manager;
  auto daemon = controller::Daemon::start(config);
  if (!daemon) {
    base::log(base::Level::Error, "start-failed", daemon.error().text());
    return 1;
  }
  Life(**daemon, path, manager).run(signals);
  base::log(base::Level::Info, "stopping", "finishing what is under way");
  manager.stopping("finishing what is under way");
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
    if (arguments.flag("check-config")) return check(*config, arguments.text("config"));
    set_log(*config);
    return run(*config, arguments.text("config"));
  } catch (const std::exception& broken) {
    fmt::print(stderr, "nimbusd: {}\n", broken.what());
    return 1;
  }
}
