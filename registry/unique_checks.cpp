// What must be unique in the whole registry.
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include "base/text/text.hpp"
#include "registry/cross_checks.hpp"

namespace nimbus::registry {
namespace {

/// One claim to a value: "machine 17 has serial CZ3A1B2".
struct Claim {
  std::string_view what;
  std::string_view value;
  std::string_view detail;  // part of the value, for example a BMC's system
  std::uint32_t machine;
  std::uint32_t key;
};

constexpr std::string_view kKeys[] = {
    "bmc.address", "identity.serial", "identity.uuid", "identity.bmc_guid", "identity.mac", "hardware.nic", ""};
constexpr std::string_view kWhat[] = {"BMC address", "serial",      "UUID", "BMC GUID",
                                      "MAC address", "MAC address", "name"};
/// Keys that share a space of values: both kinds of MAC.
constexpr std::uint32_t kSpace[] = {0, 1, 2, 3, 4, 4, 5};

/// A flat table of claims: one probe each, no allocation per claim.
class Claims {
 public:
  explicit Claims(std::size_t expected) {
    std::size_t size = 64;
    while (size < expected * 2) size *= 2;
    slots_.assign(size, 0);
    claims_.reserve(expected);
  }

  /// The earlier claim to the same value, or null after noting this one.
  const Claim* note(const Claim& claim) {
    std::size_t hash = std::hash<std::string_view>{}(claim.value) * 31 + kSpace[claim.key];
    if (!claim.detail.empty()) hash = hash * 31 + std::hash<std::string_view>{}(claim.detail);
    for (std::size_t at = hash & (slots_.size() - 1);; at = (at + 1) & (slots_.size() - 1)) {
      if (slots_[at] == 0) {
        claims_.push_back(claim);
        slots_[at] = static_cast<std::uint32_t>(claims_.size());
        return nullptr;
      }
      const Claim& other = claims_[slots_[at] - 1];
      if (kSpace[other.key] == kSpace[claim.key] && other.value == claim.value && other.detail == claim.detail)
        return &other;
    }
  }

 private:
  std::vector<std::uint32_t> slots_;
  std::vector<Claim> claims_;
};

}  // namespace

void check_unique(CrossReport& report) {
  const auto& machines = report.snapshot().machines;
  std::size_t expected = 0;
  for (const auto& entry : machines) expected += 6 + entry->value.hardware.nics.size();
  Claims claims(expected);
  const auto claim = [&](std::uint32_t machine, std::uint32_t key, std::string_view value, std::string_view detail,
                         std::string place) {
    if (value.empty()) return;
    const Claim* other = claims.note({kWhat[key], value, detail, machine, key});
    // The boot MAC may be listed again among the machine's own ports.
    if (other == nullptr || (other->machine == machine && other->key != key)) return;
    const auto& mine = *machines[machine];
    const auto& theirs = *machines[other->machine];
    if (key == 6) {
      report.add(ProblemCode::Duplicate, mine.path, {},
                 fmt::format("provider '{}' has another machine '{}' in {}", mine.provider, mine.name, theirs.path),
                 theirs.path);
      return;
    }
    report.add(ProblemCode::Duplicate, mine.path, place,
               fmt::format("{} \"{}\" is also that of {} ({})", kWhat[key], base::printable(value, 100), theirs.id(),
                           theirs.path),
               theirs.path);
  };
  for (std::uint32_t i = 0; i < machines.size(); ++i) {
    const auto& machine = machines[i]->value;
    claim(i, 0, machine.bmc.address, machine.bmc.system, std::string(kKeys[0]));
    claim(i, 1, machine.identity.serial, {}, std::string(kKeys[1]));
    claim(i, 2, machine.identity.uuid, {}, std::string(kKeys[2]));
    claim(i, 3, machine.identity.bmc_guid, {}, std::string(kKeys[3]));
    claim(i, 4, machine.mac, {}, std::string(kKeys[4]));
    for (std::size_t n = 0; n < machine.hardware.nics.size(); ++n) {
      claim(i, 5, machine.hardware.nics[n].mac, {}, fmt::format("hardware.nic.{}.mac", n));
    }
    claim(i, 6, machines[i]->name, machines[i]->provider, {});
  }
}

}  // namespace nimbus::registry
