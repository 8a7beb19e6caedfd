// Profiles as people write them, as configurations of the machine; the passes that end in them; and
// what the machine itself says of them, by its own tools.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "machine.hpp"
#include "registry/host/host_helper.hpp"

namespace nimbus::test {

// A service that writes down when it was started and told to reload, two files that it uses, names,
// time, kernel, disks and a timer.
std::string whole(const std::string& generation = "1", const std::string& conf = "one",
                  const std::string& rules = "one");
std::string with(std::string text, const std::string& from, const std::string& to);
void is_whole();

// A firewall that lets us in; eth0, a bond and a VLAN on it.
extern const char* const kOpen;
extern const char* const kNetwork;
void network_is_up(const std::string& mode = "active-backup 1", const std::string& vlan = "120");

/// `seconds`: how long guarded actions wait for their confirmation.
inline host::Configuration host_with(const std::string& profile, int seconds = 300) {
  const registry::ControllerAccess access{.user = "nimbus", .ssh_keys = {machine().own_key() + " nimbus"}};
  auto out = registry::test::built(profile, {}, {.access = access}).host.configuration;
  for (auto& resource : out.resources) {
    if (auto* action = std::get_if<host::Action>(&resource.wanted)) action->confirm_seconds = seconds;
  }
  return out;
}

/// One probe, and nothing to do.
inline void is_settled(const host::Configuration& wanted) {
  const auto pass = machine().converge(wanted);
  CHECK_MESSAGE(pass.converged(), pass.text());
  CHECK(pass.probes == 1);
  CHECK(pass.corrections == 0);
}

/// Converges, is confirmed on a new login if something guarded was tried, and is settled.
inline Pass settles(const host::Configuration& wanted) {
  auto pass = machine().converge(wanted);
  CHECK_MESSAGE(pass.converged(), pass.text());
  if (!pass.facts.awaiting.empty()) CHECK(machine().confirm(pass) == 0);
  is_settled(wanted);
  return pass;
}

/// Nothing of it is declared any more.
inline void settles_on_nothing() { settles(host_with("timezone = \"Etc/UTC\"\n")); }

}  // namespace nimbus::test
