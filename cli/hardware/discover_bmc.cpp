// nimbusctl discover bmc.
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <csignal>
#include <optional>
#include <set>
#include <thread>

#include <fmt/format.h>

#include "base/file/file.hpp"
#include "base/http/client.hpp"
#include "base/text/text.hpp"
#include "cli/hardware/address_list.hpp"
#include "cli/hardware/commands.hpp"
#include "cli/hardware/csv.hpp"
#include "cli/hardware/interrupt.hpp"
#include "cli/hardware/machine_file.hpp"
#include "cli/hardware/open_bmc.hpp"
#include "cli/hardware/probe.hpp"
#include "cli/hardware/target.hpp"
#include "cli/place.hpp"
#include "core/names.hpp"
#include "core/ports/bmc_observe.hpp"
#include "drivers/drivers.hpp"

namespace nimbus::cli {
namespace {

constexpr std::size_t kMostCsvBytes = std::size_t{1} << 20U;
constexpr std::int64_t kMostParallel = 64;
constexpr unsigned kFile = 0644;
constexpr unsigned kFolder = 0755;

/// One BMC to look at, and what came of it.
struct Job {
  std::string address, driver, name, group;
  ProposedMachine proposed;
  std::vector<std::string> credentials;
  std::optional<Error> error;
};

Result<ProposedMachine> look(const Job& job, const std::string& driver, const Secrets& secrets,
                             drivers::DriverTable& drivers, const Clock& clock, const Call& call) {
  BmcEndpoint endpoint{.driver = driver,
                       .address = driver == "redfish" ? https_address(job.address) : job.address,
                       .credentials = job.credentials};
  endpoint.privilege = IpmiPrivilege::Operator;
  ProposedMachine out = job.proposed;
  if (driver == "redfish") {
    const auto pin = base::fetch_pin(endpoint.address, call);
    if (!pin) return pin.error();
    endpoint.tls.pins = {pin->text()};
    out.pin = pin->text();
  }
  auto attached = drivers.attach(endpoint, secrets);
  if (!attached) return std::move(attached.error());
  const OpenBmc bmc(std::move(*attached), clock);
  auto identity = bmc->identity()->identity(call);
  if (!identity) return std::move(identity.error());
  out.identity = std::move(*identity);
  if (auto* inventory = bmc->inventory()) {
    auto parts = inventory->inventory(call);
    if (parts) {
      out.inventory = std::move(*parts);
    } else if (parts.error().code == Code::Cancelled) {
      return std::move(parts.error());
    }
  }
  out.driver = driver;
  out.address = endpoint.address;
  out.heading = fmt::format("{}, found at {}", maker_and_product(out.inventory), endpoint.address);
  return out;
}

/// Redfish if something answers there, else IPMI.
void work(Job& job, const Secrets& secrets, drivers::DriverTable& drivers, const Context& context,
          const std::stop_token& stop) {
  const Clock& clock = context.clock;
  const bool is_auto = job.driver == "auto";
  auto found = look(job, is_auto ? "redfish" : job.driver, secrets, drivers, clock, call_of(context, stop));
  const bool nothing_there = !found && (found.error().code == Code::Unreachable || found.error().code == Code::Timeout);
  if (is_auto && nothing_there && !job.address.starts_with("https://")) {
    found = look(job, "ipmi", secrets, drivers, clock, call_of(context, stop));
  }
  if (found) {
    job.proposed = std::move(*found);
  } else {
    job.error = std::move(found.error());
  }
}

void work_on_all(std::vector<Job>& jobs, std::size_t parallel, const std::function<void(Job&)>& one) {
  std::atomic<std::size_t> next{0};
  std::vector<std::jthread> workers;
  for (std::size_t i = 0; i < std::min(parallel, jobs.size()); ++i) {
    workers.emplace_back([&] {
      for (std::size_t at = next++; at < jobs.size(); at = next++) {
        try {
          one(jobs[at]);
        } catch (const std::exception& broken) {
          jobs[at].error = Error{Code::Internal, broken.what()};
        }
      }
    });
  }
}

Result<> add_rows(const std::string& file, std::vector<Job>& jobs) {
  const auto text = base::read_file(file, kMostCsvBytes);
  if (!text) return text.error();
  const auto rows = parse_csv(*text, {"name", "address", "driver", "class", "credentials", "group", "rack", "unit"},
                              {"name", "address"});
  if (!rows) return Error(rows.error()).with("in " + file);
  for (const auto& row : *rows) {
    const auto bad = [&](const std::string& what) {
      return Error{Code::Invalid, fmt::format("{}: line {}: {}", file, row.line, what)};
    };
    Job job{.address = row.get("address"),
            .driver = row.get("driver"),
            .name = row.get("name"),
            .group = row.get("group"),
            .proposed = {},
            .credentials = {},
            .error = {}};
    if (!is_dns_label(job.name) || (!job.group.empty() && !is_dns_label(job.group)))
      return bad("names are letters, digits and '-' in lower case");
    if (auto good = expand_targets({job.address}); !good || good->size() != 1) return bad("not one address");
    if (!job.driver.empty() && job.driver != "redfish" && job.driver != "ipmi") return bad("driver is redfish or ipmi");
    const std::string unit = row.get("unit");
    if (unit.find_first_not_of("0123456789") != std::string::npos || unit.size() > 3) return bad("unit is a number");
    const std::string names = row.get("credentials");
    for (const auto name : base::split(names, ' ')) {
      if (!name.empty()) job.credentials.emplace_back(name);
    }
    job.proposed.class_name = row.get("class");
    job.proposed.rack = row.get("rack");
    job.proposed.unit = unit;
    jobs.push_back(std::move(job));
  }
  return {};
}

Result<std::vector<Job>> jobs_of(Context& context, const std::vector<std::string>& credentials) {
  std::vector<Job> jobs;
  if (const auto file = context.args.get("from")) {
    if (auto added = add_rows(*file, jobs); !added) return std::move(added.error());
  }
  const auto addresses = expand_targets(context.args.all("TARGET"));
  if (!addresses) return addresses.error();
  for (const auto& address : *addresses) {
    jobs.push_back(
        {.address = address, .driver = {}, .name = {}, .group = {}, .proposed = {}, .credentials = {}, .error = {}});
  }
  if (jobs.empty()) return Error{Code::Invalid, "name an address, a network, a file or --from"};
  for (auto& job : jobs) {
    if (job.driver.empty()) job.driver = context.args.text("driver");
    if (job.credentials.empty()) job.credentials = credentials;
    if (job.credentials.empty()) return Error{Code::Invalid, "no --credentials are given"};
    if (job.proposed.class_name.empty()) job.proposed.class_name = context.args.text("class");
  }
  return jobs;
}

/// Where a machine's file goes; "" if nothing names it.
std::string path_of(const Context& context, const Job& job) {
  const std::string name = job.name.empty() ? machine_name_from(job.proposed.identity.serial) : job.name;
  if (name.empty()) return "";
  const std::string provider = context.args.get("provider").value_or("PROVIDER");
  return fmt::format("providers/{}/machines/{}{}.toml", provider, job.group.empty() ? "" : job.group + "/", name);
}

bool exists(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0;
}

struct Written {
  std::size_t good = 0, failed = 0, kept = 0;
};

Result<> write(const std::string& folder, const std::string& path, const std::string& text, Context& context,
               Written& written) {
  const std::string full = folder + "/" + path;
  if (exists(full)) {
    context.console.warning(path + " exists and stays as it is");
    ++written.kept;
    return {};
  }
  if (auto made = base::make_folders(full.substr(0, full.rfind('/')), kFolder); !made) return made;
  if (auto done = base::write_file_atomically(full, text, kFile); !done) return done;
  context.console.out(path + "\n");
  return {};
}

Result<Written> report(Context& context, const std::vector<Job>& jobs, const std::string& folder) {
  Written written;
  std::set<std::string> paths;
  for (const auto& job : jobs) {
    if (job.error) {
      context.console.error(job.address + ": " + job.error->text());
      ++written.failed;
      continue;
    }
    ++written.good;
    ProposedMachine proposed = job.proposed;
    // A file on this disk or a person's memory means nothing to a controller.
    std::erase_if(proposed.credentials,
                  [](const std::string& name) { return name == "prompt" || !is_secret_name(name); });
    const std::string path = path_of(context, job);
    const std::string text = machine_file_text(proposed);
    if (folder.empty()) {
      context.console.out(fmt::format("# {}\n{}\n", path.empty() ? "no name: it tells no serial number" : path, text));
    } else if (path.empty() || !paths.insert(path).second) {
      context.console.error(job.address + ": no name for it, or another one of the same; write its file by hand");
      ++written.failed;
    } else if (auto done = write(folder, path, text, context, written); !done) {
      return std::move(done.error());
    }
  }
  return written;
}

/// The registry's folder if files are to be written.
Result<std::string> folder_of(Context& context) {
  if (!context.args.flag("write")) return std::string();
  const std::string provider = context.args.text("provider");
  if (!is_dns_label(provider)) return Error{Code::Invalid, "--write needs --provider"};
  auto place = find_place(context.registry_start());
  if (!place) return std::move(place.error());
  if (place->folder.empty()) return Error{Code::Invalid, "a bare repository has no files on disk: use a checkout"};
  return place->folder;
}

}  // namespace

Exit run_discover_bmc(Context& context) {
  (void)std::signal(SIGPIPE, SIG_IGN);
  const auto parallel = context.args.number("parallel");
  if (parallel < 1 || parallel > kMostParallel)
    return fail(context, {Code::Invalid, fmt::format("--parallel is 1 to {}", kMostParallel)});
  const auto folder = folder_of(context);
  if (!folder) return fail(context, folder.error());
  std::vector<std::string> names;
  const auto secrets = command_secrets(context, names);
  if (!secrets) return fail(context, secrets.error());
  auto jobs = jobs_of(context, names);
  if (!jobs) return fail(context, jobs.error());
  const Interrupt interrupt;  // nobody is asked from here on
  auto drivers = drivers::make_drivers({.cas = {}}, context.clock);
  if (!drivers) return fail(context, drivers.error());
  work_on_all(*jobs, static_cast<std::size_t>(parallel), [&](Job& job) {
    job.proposed.credentials = job.credentials;
    work(job, *secrets, *drivers, context, interrupt.token());
  });
  if (interrupt.token().stop_requested()) {
    context.console.say("stopped: nothing is printed or written of what was read");
    return Exit::Error;
  }
  const auto written = report(context, *jobs, *folder);
  if (!written) return fail(context, written.error());
  context.console.say(fmt::format("{} of {} BMCs read", written->good, jobs->size()));
  if (written->good > 0 && !folder->empty())
    context.console.say("compare each key with what the BMC's own console shows, run 'nimbusctl validate', commit");
  if (written->good == 0) return Exit::Error;
  if (written->kept > 0) return Exit::Conflict;
  return written->failed > 0 ? Exit::Changes : Exit::Ok;
}

}  // namespace nimbus::cli
