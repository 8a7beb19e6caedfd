// An instance: a wanted machine with an operating system.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/choice.hpp"
#include "core/desired/machine.hpp"
#include "core/desired/policy.hpp"

namespace nimbus {

enum class InstancePower : std::uint8_t { On, Off };
enum class ConfigurationMode : std::uint8_t { None, Observe, Enforce };
enum class OnMachineFailure : std::uint8_t { Hold, Replace };
enum class Spread : std::uint8_t { None, Rack, Provider };
enum class ManageAccess : std::uint8_t { Sync, AtInstall };
template <>
inline constexpr auto kChoiceNames<InstancePower> = choice_names("on", "off");
template <>
inline constexpr auto kChoiceNames<ConfigurationMode> = choice_names("none", "observe", "enforce");
template <>
inline constexpr auto kChoiceNames<OnMachineFailure> = choice_names("hold", "replace");
template <>
inline constexpr auto kChoiceNames<Spread> = choice_names("none", "rack", "provider");
template <>
inline constexpr auto kChoiceNames<ManageAccess> = choice_names("sync", "at-install");

struct Instance {
  std::string tenant, name;
  std::string provider, image;
  InstancePower power = InstancePower::On;
  std::int64_t restart = 0;    // raised for one power cycle
  std::int64_t reinstall = 0;  // raised to erase the system disk and install again
  bool is_protected = true;    // refuses reinstall, move and release
  std::string hostname;        // empty: the instance's name
  std::vector<std::string> profiles;
  ConfigurationMode configuration = ConfigurationMode::None;
  OnMachineFailure on_machine_failure = OnMachineFailure::Hold;
  struct DiskRequirement {
    std::optional<std::int64_t> size_gib;
    std::optional<DiskType> type;
    friend bool operator==(const DiskRequirement&, const DiskRequirement&) = default;
  };
  struct Requirements {
    std::string machine;  // pin
    std::optional<Arch> arch;
    std::optional<std::int64_t> cpu_cores, memory_gib;  // at least
    std::map<std::string, std::string> labels;
    Spread spread = Spread::None;
    std::string group;
    std::vector<DiskRequirement> disks;
    friend bool operator==(const Requirements&, const Requirements&) = default;
  } requirements;
  struct Access {
    std::string user;
    std::vector<std::string> ssh_keys;
    ManageAccess manage = ManageAccess::Sync;
    std::string user_data;
    friend bool operator==(const Access&, const Access&) = default;
  } access;
  struct Attachment {
    std::string name;
    std::string address = "auto";
    friend bool operator==(const Attachment&, const Attachment&) = default;
  };
  std::vector<Attachment> networks;
  std::vector<Window> windows;  // when a reboot that Nimbus starts may happen
  struct Adopt {
    std::string host_key, address;
    friend bool operator==(const Adopt&, const Adopt&) = default;
  };
  std::optional<Adopt> adopt;  // runs already: nothing is written to its disks

  std::string id() const { return tenant + "/" + name; }
  friend bool operator==(const Instance&, const Instance&) = default;
};

}  // namespace nimbus
