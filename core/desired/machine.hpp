// What the registry wants of one machine, with provider defaults and class
// merged in (provider < class < machine, key by key). Immutable after loading.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/boot.hpp"
#include "core/choice.hpp"
#include "core/endpoint.hpp"
#include "core/identity.hpp"
#include "core/names.hpp"
#include "core/power.hpp"

namespace nimbus {

enum class Arch : std::uint8_t { X86_64, Aarch64 };
enum class BootMethod : std::uint8_t { Pxe, Http, VirtualMedia };
enum class Handover : std::uint8_t { Exit, Sanboot, NotFound };
enum class LifecycleState : std::uint8_t { InService, Maintenance, Retired };
enum class ExistingData : std::uint8_t { Keep, Erase };
enum class DiskType : std::uint8_t { Nvme, Ssd, Hdd };

template <>
inline constexpr auto kChoiceNames<WantedPower> = choice_names("unmanaged", "on", "off");
template <>
inline constexpr auto kChoiceNames<Enforcement> = choice_names("observe", "enforce");
template <>
inline constexpr auto kChoiceNames<IpmiPrivilege> = choice_names("operator", "administrator");
template <>
inline constexpr auto kChoiceNames<Arch> = choice_names("x86_64", "aarch64");
template <>
inline constexpr auto kChoiceNames<BootMethod> = choice_names("pxe", "http", "virtual-media");
template <>
inline constexpr auto kChoiceNames<BootMode> = choice_names("uefi", "bios");
template <>
inline constexpr auto kChoiceNames<Handover> = choice_names("exit", "sanboot", "not-found");
template <>
inline constexpr auto kChoiceNames<LifecycleState> = choice_names("in-service", "maintenance", "retired");
template <>
inline constexpr auto kChoiceNames<ExistingData> = choice_names("keep", "erase");
template <>
inline constexpr auto kChoiceNames<DiskType> = choice_names("nvme", "ssd", "hdd");

/// The rule that picks the system disk; several keys must all match.
struct RootDiskHint {
  std::string serial, wwn, by_path, model;
  std::optional<DiskType> type;
  std::optional<std::int64_t> min_size_gib, max_size_gib;
  friend bool operator==(const RootDiskHint&, const RootDiskHint&) = default;
};

struct DiskDeclaration {
  std::optional<std::int64_t> size_gib;
  std::optional<DiskType> type;
  std::string serial;
  friend bool operator==(const DiskDeclaration&, const DiskDeclaration&) = default;
};

struct NicDeclaration {
  std::string mac;
  std::optional<std::int64_t> speed_gbps;
  std::string switch_name, port;
  friend bool operator==(const NicDeclaration&, const NicDeclaration&) = default;
};

/// What the owner declares; inspection compares.
struct HardwareDeclaration {
  std::optional<Arch> arch;
  std::optional<std::int64_t> cpu_cores, memory_gib;
  std::optional<RootDiskHint> root_disk;
  std::vector<DiskDeclaration> disks;
  std::vector<NicDeclaration> nics;
  friend bool operator==(const HardwareDeclaration&, const HardwareDeclaration&) = default;
};

struct BootPlan {
  BootMethod method = BootMethod::Pxe;
  BootMode mode = BootMode::Uefi;
  std::optional<bool> secure_boot;  // nothing: not managed
  std::string network;
  Handover handover = Handover::Exit;
  friend bool operator==(const BootPlan&, const BootPlan&) = default;
};

struct Lifecycle {
  LifecycleState state = LifecycleState::InService;
  bool hands_off = false;  // no write to this machine's BMC, host or disks
  ExistingData existing_data = ExistingData::Keep;
  std::string reason;
  friend bool operator==(const Lifecycle&, const Lifecycle&) = default;
};

struct Location {
  std::string rack;
  std::optional<std::int64_t> unit;
  std::vector<std::string> feeds;
  friend bool operator==(const Location&, const Location&) = default;
};

struct DesiredMachine {
  MachineId id;
  std::string path;  // "providers/berlin-1/machines/b2/m017.toml"
  std::string class_name;
  std::string description;
  std::map<std::string, std::string> labels;
  WantedPower power = WantedPower::Unmanaged;
  Enforcement enforcement = Enforcement::Observe;
  std::vector<std::string> reserved_for;
  Location location;
  BmcEndpoint bmc;
  Identity identity;
  std::string mac;  // [identity].mac: the NIC that boots from the network
  HardwareDeclaration hardware;
  BootPlan boot;
  std::map<std::string, std::string> bios;  // managed attributes only, values as text
  Lifecycle lifecycle;
  /// SHA-256 (hex) over path and blob id of every file that defines this machine.
  std::string digest;

  friend bool operator==(const DesiredMachine&, const DesiredMachine&) = default;
};

}  // namespace nimbus
