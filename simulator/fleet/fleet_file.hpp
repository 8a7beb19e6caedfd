// The fleet file: which machines a simulator serves, in TOML. Its page is
// docs/reference/fleet-file.md. Pure: text in, values or faults out.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/secret.hpp"
#include "simulator/faults/fault.hpp"
#include "simulator/model/firmware_settings.hpp"
#include "simulator/model/machine.hpp"
#include "simulator/qemu/virtual_machine.hpp"

namespace nimbus::simulator {

struct AccountSpec {
  std::string name;
  Secret password;
  Privilege privilege = Privilege::Administrator;
};

struct MachineSpec {
  std::string name;
  std::string profile = "polite";
  Quirks quirks;
  std::string redfish;  // host:port; empty: not served
  std::string ipmi;
  std::string serial;  // empty: derived from the name
  std::string uuid;
  std::string mac;  // of the first NIC
  std::shared_ptr<const Hardware> hardware;
  Timing timing;
  Power power = Power::Off;
  std::vector<AccountSpec> accounts;
  AttributeMap bios;
  std::optional<VirtualMachineSpec> qemu;  // what runs behind it, if anything does
};

struct FleetFile {
  std::uint64_t seed = 1;
  std::string control;             // "unix:/path" or "127.0.0.1:port"; empty: none
  std::string certificate_folder;  // where the fleet's certificate is kept; empty: a new one each time
  std::vector<MachineSpec> machines;
  std::vector<FaultRule> faults;
};

inline constexpr std::size_t kMostMachines = 20'000;

/// All faults at once, one per line, with line and column. Errors: Invalid.
Result<FleetFile> parse_fleet(std::string_view text, std::string_view file_name);

/// "127.1.0.1:623" and 3 → "127.1.0.4:623", carrying over the bytes 0 and 255 of a /24,
/// or "[::1]:9000" and 3 → by port. Errors: Invalid.
enum class Step : std::uint8_t { Address, Port };
Result<std::string> nth_endpoint(const std::string& first, std::size_t n, Step step);

}  // namespace nimbus::simulator
