// The hosts of a provider with everything around them made up: what is accepted, what their machines say, what
// they answer, what is remembered and told.
#pragma once

#include <doctest/doctest.h>

#include "controller/configure/hosts.hpp"
#include "controller/configure/instance_board.hpp"
#include "package_host.hpp"

namespace nimbus::controller::test {

using namespace std::chrono_literals;

class Nobody final : public FactSink {
 public:
  void seen(const MachineFacts&) override { ++told; }
  int told = 0;
};

struct World {
  World() : World(&driver) {}
  explicit World(HostDriver* the_driver) : hosts(queue, tools(the_driver), next) {
    host.known = {"aaa"};
    host.clock = [this] { return std::chrono::duration<double>(clock.wall().time_since_epoch()).count(); };
  }

  HostTools pass_tools(HostDriver* the_driver) {
    return {.clock = clock,
            .hosts = the_driver,
            .build =
                [this](const HostTarget&) {
                  return registry::HostBuild{wanted, {}};
                },
            .authority = [this] { return authority; },
            .stepped = [this] { ++steps; },
            .note = [](const std::string&, const HostTarget&, const std::string&) -> Result<> { return {}; },
            .token = [] { return "token"; }};
  }
  Hosts::Tools tools(HostDriver* the_driver) {
    return {
        .pass = pass_tools(the_driver),
        .provider = "lab",
        .user = "nimbus",
        .public_key = "ssh-ed25519 AAAAC3",
        .limits = {.interval = 300s, .deadline = 600s, .look = 30s},
        .jitter = [] { return 0.5; },
        .access = {.keep = [this](const HostAccess& access) -> Result<> {
                     kept[access.instance] = to_json(access);
                     return {};
                   },
                   .forget = [this](const std::string& instance) -> Result<> {
                     kept.erase(instance);
                     return {};
                   },
                   .all = [this]() -> Result<std::map<std::string, HostAccess>> {
                     std::map<std::string, HostAccess> out;
                     for (const auto& [instance, text] : kept) out[instance] = parse_access(text).value();
                     return out;
                   }},
        .told = [this](const HostTarget& target, const HostReport& report, WallTime) { board.host(target, report); },
        .dropped = [this](
                       const HostAccess& access,
                       const std::optional<Error>& error) { board.dropped(access.path, error ? error->text() : ""); }};
  }

  std::shared_ptr<registry::InstanceEntry> instance(const std::string& name, ConfigurationMode mode, bool adopted) {
    auto entry = std::make_shared<registry::InstanceEntry>();
    entry->path = "tenants/acme/instances/" + name + ".toml";
    entry->digest = "d1";
    entry->value.tenant = "acme";
    entry->value.name = name;
    entry->value.provider = "lab";
    entry->value.configuration = mode;
    if (adopted) {
      entry->value.requirements.machine = "m1";
      entry->value.adopt = Instance::Adopt{"ssh-ed25519 AAAA", "192.0.2.7"};
    }
    return entry;
  }
  void accept(std::vector<std::shared_ptr<registry::InstanceEntry>> entries, const std::string& machine_digest = "m",
              const Lifecycle& lifecycle = {}, const std::vector<std::string>& machines = {"m1", "m2"}) {
    auto snapshot = std::make_shared<registry::Snapshot>();
    for (auto& entry : entries) snapshot->instances.push_back(std::move(entry));
    auto accepted = std::make_shared<AcceptedRegistry>();
    accepted->in_force = snapshot;
    accepted->accepted_commit = "c1";
    auto machine = std::make_shared<DesiredMachine>();
    machine->digest = machine_digest;
    machine->lifecycle = lifecycle;
    for (const auto& name : machines) accepted->machines[name].desired = machine;
    CHECK(hosts.accept(accepted));
  }
  /// The life of a machine says that the instance runs there; without one, that nothing does.
  void machine_says(const std::optional<Instance>& runs, const std::string& host_key, bool busy = false,
                    const std::string& machine = "m2") {
    MachineFacts facts;
    auto desired = std::make_shared<DesiredMachine>();
    desired->id = {"lab", machine};
    facts.machine.desired = desired;
    facts.report.power = Observed<PowerState>::known(PowerState::On, clock.wall());
    facts.report.life.emplace();
    facts.report.life->busy = busy;
    if (runs) facts.report.life->instance = std::make_shared<const Instance>(*runs);
    facts.report.life->address = "192.0.2.8";
    facts.report.life->host_key = host_key;
    hosts.seen(facts);
  }
  bool due() { return hosts.work_once({}); }
  /// acme/web-1 is adopted, its host is as declared, and was looked at once.
  void looks_at_adopted() {
    board.seed({});
    host.installed = {"aaa"};
    accept({instance("web-1", ConfigurationMode::Enforce, true)});
    clock.advance(std::chrono::seconds{1});
    CHECK(due());
  }

  nimbus::testing::FakeClock clock;
  nimbus::testing::PackageHost host;
  host::Configuration wanted = nimbus::testing::packages({{"aaa", {}}});
  nimbus::test::FakeHostDriver driver{host.state};
  Authority authority{.state = Authority::State::Held, .term = 1, .detail = {}};
  std::map<std::string, std::string> kept;
  std::map<std::string, std::string> published;
  std::vector<std::string> headlines;
  InstanceBoard board{clock, [this](const std::string& path, const std::string& text, const std::string& headline) {
                        published[path] = text;
                        headlines.push_back(headline);
                      }};
  Nobody next;
  WorkQueue queue{clock, {}};
  int steps = 0;
  Hosts hosts;
};

inline const std::string kPath = "tenants/acme/instances/web-1.toml";

}  // namespace nimbus::controller::test
