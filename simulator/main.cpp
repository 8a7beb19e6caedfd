#include <signal.h>
#include <sys/resource.h>

#include <fmt/format.h>
#include <algorithm>
#include <cstdio>

#include "base/args/args.hpp"
#include "base/file/file.hpp"
#include "base/log/log.hpp"
#include "base/time/time.hpp"
#include "base/toml/toml.hpp"
#include "simulator/command_line.hpp"
#include "simulator/control.hpp"
#include "simulator/simulation.hpp"

namespace {

using namespace nimbus;
using namespace nimbus::simulator;

std::stop_source stop;  // NOLINT: what a signal handler can reach

void fail(const Error& error) { fmt::print(stderr, "nimbus-sim: {}\n", error.text()); }

/// Every machine needs two descriptors and every client one more. Only root may go
/// beyond the hard limit.
void raise_descriptor_limit(std::size_t machines) {
  constexpr std::size_t kForClients = 16 * 1024;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t wanted = 3 * machines + kForClients;
  const rlimit more{wanted, std::max<rlim_t>(wanted, limit.rlim_max)};
  if (setrlimit(RLIMIT_NOFILE, &more) == 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

Result<FleetFile> load(const std::string& path) {
  auto text = base::read_file(path, base::toml::kMaxText);
  if (!text) return std::move(text.error());
  return parse_fleet(*text, path);
}

int serve(const base::Parsed& arguments) {
  auto fleet = load(arguments.text("FILE"));
  if (!fleet) return fail(fleet.error()), 1;
  if (arguments.origin("seed") == base::Origin::CommandLine)
    fleet->seed = static_cast<std::uint64_t>(arguments.number("seed"));
  if (const auto control = arguments.get("control")) fleet->control = *control;
  if (const auto path = arguments.get("faults")) {
    const auto text = base::read_file(*path, base::toml::kMaxText);
    if (!text) return fail(text.error()), 1;
    auto rules = parse_fault_script(*text, *path);
    if (!rules) return fail(rules.error()), 1;
    fleet->faults.insert(fleet->faults.end(), rules->begin(), rules->end());
  }
  raise_descriptor_limit(fleet->machines.size());
  const base::SystemClock clock;
  auto simulation = Simulation::start(*fleet, clock);
  if (!simulation) return fail(simulation.error()), 1;
  for (auto& rule : fleet->faults) (*simulation)->add_fault(rule);
  Control control(**simulation);
  std::string where = "none";
  if (!fleet->control.empty()) {
    auto bound = control.listen(fleet->control);
    if (!bound) return fail(bound.error()), 1;
    where = *bound;
  }
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  const auto wake = (*simulation)->watch_signals(signals, stop);
  if (!wake) return fail(wake.error()), 1;
  fmt::print("serving {} machines, control {}\n", fleet->machines.size(), where);
  std::fflush(stdout);
  (*simulation)->run(stop.get_token());
  return 0;
}

int check(const base::Parsed& arguments) {
  const auto fleet = load(arguments.text("FILE"));
  if (!fleet) return fail(fleet.error()), 1;
  for (const auto& machine : fleet->machines) {
    fmt::print("{}\t{}\tredfish={}\tipmi={}\n", machine.name, machine.profile, machine.redfish, machine.ipmi);
  }
  return 0;
}

int list_quirks(const base::Parsed& arguments) {
  const std::string only = arguments.text("profile");
  if (!only.empty() && find_profile(only) == nullptr) {
    fail({Code::NotFound, "no profile " + only});
    return 1;
  }
  for (const auto& info : quirk_table()) {
    std::string users;
    for (const auto& profile : vendor_profiles()) {
      if (!quirks_of(profile).has(info.quirk)) continue;
      users += (users.empty() ? "" : ",") + std::string(profile.name);
    }
    if (!only.empty() && !quirks_of(*find_profile(only)).has(info.quirk)) continue;
    fmt::print("{}\t{}\t{}\n", info.id, users.empty() ? "-" : users, info.evidence);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);
  const auto table = command_line();
  const auto result = base::parse(table, argc, argv);
  if (const auto* exit = std::get_if<base::ExitNow>(&result)) return base::finish(*exit);
  const auto& arguments = std::get<base::Parsed>(result);
  const auto& command = arguments.command();
  try {
    if (command.front() == "serve") return serve(arguments);
    if (command.front() == "check") return check(arguments);
    return list_quirks(arguments);
  } catch (const std::exception& e) {  // out of memory, or a broken library: nothing sensible is left to do
    base::log(base::Level::Error, "sim-broken", e.what());
    return 70;
  }
}
