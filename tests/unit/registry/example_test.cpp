#include "support/memory_source.hpp"

using namespace nimbus;
using namespace nimbus::registry;
using namespace nimbus::registry::test;

TEST_CASE("the example registry is valid") {
  const DirectorySource folder(NIMBUS_SOURCE "/examples/registry-repo");
  const auto result = loaded(folder);
  CHECK_MESSAGE(result.problems.empty(), describe(result.problems));
  CHECK(result.snapshot->machines.size() == 12);
  CHECK(result.snapshot->instances.size() == 4);
  CHECK(result.snapshot->providers.size() == 2);
}

TEST_CASE("provider, class and machine are merged key by key") {
  const auto snapshot = loaded(example()).snapshot;
  const auto* m017 = find_machine(*snapshot, "berlin-1", "m017");
  REQUIRE(m017 != nullptr);
  const auto& machine = m017->value;
  CHECK(machine.id.text() == "berlin-1/m017");
  CHECK(machine.bmc.driver == "redfish");                                      // provider
  CHECK(machine.bmc.credentials == std::vector<std::string>{"bmc/berlin-1"});  // provider
  CHECK(machine.bmc.tls.pins.size() == 1);                                     // machine
  CHECK(machine.bmc.tls.ca.empty());                                           // its own pin wins over the default CA
  CHECK(machine.hardware.cpu_cores == 32);                                     // class
  CHECK(machine.bios.at("ProcVirtualization") == "Enabled");                   // class
  CHECK(machine.labels.at("class") == "general");                              // class
  CHECK(machine.boot.network == "provisioning");
  CHECK(machine.enforcement == Enforcement::Observe);
  CHECK(machine.power == WantedPower::Unmanaged);
  CHECK(machine.digest.size() == 64);

  // A class overrides the provider; what does not fit the driver is dropped.
  const auto& ipmi = find_machine(*snapshot, "berlin-1", "m031")->value;
  CHECK(ipmi.bmc.driver == "ipmi");
  CHECK(ipmi.bmc.tls.empty());
  CHECK(ipmi.bmc.credentials == std::vector<std::string>{"bmc/berlin-1-ipmi"});
  const auto& arm = find_machine(*snapshot, "oslo-1", "a001")->value;
  CHECK(arm.bmc.driver == "redfish");
  CHECK(arm.bmc.privilege == IpmiPrivilege::Operator);
  CHECK(find_machine(*snapshot, "oslo-1", "x021")->value.bmc.privilege == IpmiPrivilege::Administrator);
}

TEST_CASE("loading again reuses what did not change") {
  auto source = example();
  const auto first = loaded(source).snapshot;
  source.read_files.clear();
  const auto same = loaded(source, first.get()).snapshot;
  CHECK(source.read_files.empty());
  CHECK(same->machines.front() == first->machines.front());

  source.edit("providers/berlin-1/machines/b2/m017.toml", "unit = 17", "unit = 19");
  const auto one = loaded(source, same.get()).snapshot;
  CHECK(source.read_files == std::set<std::string>{"providers/berlin-1/machines/b2/m017.toml"});
  CHECK(find_machine(*one, "berlin-1", "m017")->value.location.unit == 19);
  CHECK(find_machine(*one, "berlin-1", "m018") == find_machine(*same, "berlin-1", "m018"));

  source.read_files.clear();
  source.edit("providers/berlin-1/classes/r650.toml", "cpu_cores = 32", "cpu_cores = 48");
  const auto of_class = loaded(source, one.get()).snapshot;
  CHECK(source.read_files.size() == 6);  // the class and its five machines
  CHECK(find_machine(*of_class, "berlin-1", "m017")->value.hardware.cpu_cores == 48);
  CHECK(find_machine(*of_class, "berlin-1", "m017")->digest != find_machine(*one, "berlin-1", "m017")->digest);
  CHECK(find_machine(*of_class, "berlin-1", "m031") == find_machine(*one, "berlin-1", "m031"));
}

TEST_CASE("a digest changes with every file that defines the object, and with no other") {
  auto source = example();
  const auto before = loaded(source).snapshot;
  const auto changes = [&](const char* file) {
    auto edited = source;
    edited.files.at(file) += "# changed\n";
    const auto after = loaded(edited, before.get()).snapshot;
    return std::pair(
        find_machine(*after, "berlin-1", "m017")->digest != find_machine(*before, "berlin-1", "m017")->digest,
        find_instance(*after, "acme", "web-1")->digest != find_instance(*before, "acme", "web-1")->digest);
  };
  CHECK(changes("providers/berlin-1/machines/b2/m017.toml") == std::pair(true, false));
  CHECK(changes("providers/berlin-1/classes/r650.toml") == std::pair(true, false));
  CHECK(changes("providers/berlin-1/provider.toml") == std::pair(true, true));
  CHECK(changes("providers/berlin-1/networks/provisioning.toml") == std::pair(true, false));
  CHECK(changes("images/debian-12.toml") == std::pair(false, true));
  CHECK(changes("profiles/base.toml") == std::pair(false, true));
  CHECK(changes("files/motd") == std::pair(false, true));
  CHECK(changes("policy/people/bob.toml") == std::pair(false, true));
  CHECK(changes("policy/people/carol.toml") == std::pair(false, false));
  CHECK(changes("providers/berlin-1/machines/b2/m018.toml") == std::pair(false, false));
}
