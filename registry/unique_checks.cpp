// What must be unique in the whole registry.
//
// Every machine keeps hashes of its claims, and a snapshot those of all machines.
// While no hash occurs twice, which is nearly always, a new version costs what
// changed; otherwise everything is compared as text.
#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <fmt/core.h>

#include "base/text/text.hpp"
#include "registry/cross_checks.hpp"

namespace nimbus::registry {
namespace {

enum class Space : std::uint8_t { Bmc, Serial, Uuid, BmcGuid, Mac, Name };
constexpr std::array<std::string_view, 6> kWhat = {"BMC address", "serial", "UUID", "BMC GUID", "MAC address", "name"};

/// Calls `take(space, value, detail, key)` for each claim; `key` makes the place.
template <class Take>
void each_claim(const MachineEntry& entry, const Take& take) {
  const auto& machine = entry.value;
  const auto fixed = [](const char* key) { return [key] { return std::string(key); }; };
  const auto claim = [&](Space space, std::string_view value, std::string_view detail, const auto& key) {
    if (!value.empty()) take(space, value, detail, key);
  };
  claim(Space::Bmc, machine.bmc.address, machine.bmc.system, fixed("bmc.address"));
  claim(Space::Serial, machine.identity.serial, {}, fixed("identity.serial"));
  claim(Space::Uuid, machine.identity.uuid, {}, fixed("identity.uuid"));
  claim(Space::BmcGuid, machine.identity.bmc_guid, {}, fixed("identity.bmc_guid"));
  claim(Space::Mac, machine.mac, {}, fixed("identity.mac"));
  const auto& nics = machine.hardware.nics;
  for (std::size_t i = 0; i < nics.size(); ++i) {
    claim(Space::Mac, nics[i].mac, {}, [i] { return fmt::format("hardware.nic.{}.mac", i); });
  }
  claim(Space::Name, entry.name, entry.provider, fixed(""));
}

std::uint64_t hash_of(Space space, std::string_view value, std::string_view detail) {
  constexpr std::uint64_t kMix = 0x9E3779B97F4A7C15ULL;
  std::uint64_t hash = std::hash<std::string_view>{}(value) + kMix * (static_cast<std::uint64_t>(space) + 1);
  if (!detail.empty()) hash = (hash ^ (hash >> 29U)) * kMix + std::hash<std::string_view>{}(detail);
  return hash;
}

using Hashes = std::vector<std::uint64_t>;

void append(Hashes& out, const MachineEntry& entry) { out.insert(out.end(), entry.claims.begin(), entry.claims.end()); }

/// What came and what went between two sorted lists that share most entries.
void difference(const Entries<DesiredMachine>& before, const Entries<DesiredMachine>& now, Hashes& gone,
                Hashes& fresh) {
  auto old = before.begin();
  auto entry = now.begin();
  while (old != before.end() || entry != now.end()) {
    if (old != before.end() && entry != now.end() && *old == *entry) {
      ++old;
      ++entry;
      continue;
    }
    const int order = old == before.end() ? 1 : entry == now.end() ? -1 : (*old)->path.compare((*entry)->path);
    if (order <= 0) append(gone, **old++);
    if (order >= 0) append(fresh, **entry++);
  }
  std::ranges::sort(gone);
  std::ranges::sort(fresh);
}

bool any_twice(const Hashes& sorted) { return std::ranges::adjacent_find(sorted) != sorted.end(); }

void compare_all(CrossReport& report) {
  std::unordered_map<std::string, const MachineEntry*> owners;
  for (const auto& entry : report.snapshot().machines) {
    each_claim(*entry, [&](Space space, std::string_view value, std::string_view detail, const auto& key) {
      const auto what = kWhat[static_cast<std::size_t>(space)];
      const auto [owner, fresh] = owners.try_emplace(fmt::format("{}\n{}\n{}", what, value, detail), entry.get());
      // The boot MAC may be listed again among the machine's own ports.
      if (fresh || owner->second == entry.get()) return;
      const auto& other = *owner->second;
      if (space == Space::Name) {
        report.add(
            ProblemCode::Duplicate, entry->path, {},
            fmt::format("provider '{}' has another machine '{}' in {}", entry->provider, entry->name, other.path),
            other.path);
        return;
      }
      report.add(
          ProblemCode::Duplicate, entry->path, key(),
          fmt::format("{} \"{}\" is also that of {} ({})", what, base::printable(value, 100), other.id(), other.path),
          other.path);
    });
  }
}

}  // namespace

std::vector<std::uint64_t> claims_of(const MachineEntry& entry) {
  std::vector<std::uint64_t> out;
  out.reserve(8);
  each_claim(entry, [&](Space space, std::string_view value, std::string_view detail, const auto&) {
    const auto hash = hash_of(space, value, detail);
    if (std::ranges::find(out, hash) == out.end()) out.push_back(hash);
  });
  out.shrink_to_fit();
  return out;
}

std::shared_ptr<const Hashes> all_claims(const Entries<DesiredMachine>& machines, const Snapshot* previous) {
  auto out = std::make_shared<Hashes>();
  if (previous != nullptr && previous->claims != nullptr) {
    Hashes gone;
    Hashes fresh;
    difference(previous->machines, machines, gone, fresh);
    if (gone.empty() && fresh.empty()) return previous->claims;
    Hashes kept;
    kept.reserve(previous->claims->size());
    std::ranges::set_difference(*previous->claims, gone, std::back_inserter(kept));
    out->reserve(kept.size() + fresh.size());
    std::ranges::merge(kept, fresh, std::back_inserter(*out));
  } else {
    for (const auto& entry : machines) append(*out, *entry);
    std::ranges::sort(*out);
  }
  if (any_twice(*out)) return nullptr;
  return out;
}

void check_unique(CrossReport& report) {
  if (report.snapshot().claims == nullptr) compare_all(report);
}

}  // namespace nimbus::registry
