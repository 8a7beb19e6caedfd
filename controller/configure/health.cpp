#include "controller/configure/health.hpp"

#include <algorithm>
#include <cmath>

namespace nimbus::controller {
namespace {

using Kind = HostTrouble::Kind;

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::DiskFull:
      return "DiskFull";
    case Kind::FailedUnit:
      return "FailedUnits";
    case Kind::ClockOff:
      return "ClockOff";
    case Kind::MemoryLow:
      return "MemoryLow";
    case Kind::RestartDue:
      return "RestartDue";
  }
  return "Well";
}

std::string_view words_of(Kind kind) {
  switch (kind) {
    case Kind::DiskFull:
      return "nearly full";
    case Kind::FailedUnit:
      return "failed units";
    case Kind::ClockOff:
      return "the clock is off";
    case Kind::MemoryLow:
      return "hardly any memory is left";
    case Kind::RestartDue:
      return "it asks for a restart";
  }
  return {};
}

}  // namespace

std::vector<HostTrouble> troubles_of(const host::Health& health, const std::vector<HostTrouble>& before) {
  std::vector<HostTrouble> out;
  const auto was = [&](const HostTrouble& trouble) {
    return std::find(before.begin(), before.end(), trouble) != before.end();
  };
  const auto add = [&](HostTrouble trouble, bool begins, bool lasts) {
    if (begins || (lasts && was(trouble))) out.push_back(std::move(trouble));
  };
  for (const auto& each : health.file_systems) {
    if (each.size == 0) continue;
    const double left = static_cast<double>(each.available) / static_cast<double>(each.size);
    add({Kind::DiskFull, each.path}, left < kDiskFull, left < kDiskWell);
  }
  if (health.failed_units) {
    for (const auto& unit : *health.failed_units) add({Kind::FailedUnit, unit}, true, true);
  }
  if (health.time_offset_seconds) {
    const double off = std::abs(*health.time_offset_seconds);
    add({Kind::ClockOff, {}}, off > kClockOff, off > kClockWell);
  }
  if (health.memory_total && health.memory_available && *health.memory_total > 0) {
    const double left = static_cast<double>(*health.memory_available) / static_cast<double>(*health.memory_total);
    add({Kind::MemoryLow, {}}, left < kMemoryLow, left < kMemoryWell);
  }
  if (health.reboot_required.value_or(false)) out.push_back({Kind::RestartDue, {}});
  return out;
}

std::string reason_of(const std::vector<HostTrouble>& troubles) {
  return std::string(troubles.empty() ? "Well" : name_of(troubles.front().kind));
}

std::string text_of(const std::vector<HostTrouble>& troubles) {
  constexpr std::size_t kMost = 10;  // names of a kind
  std::string out;
  std::size_t named = 0;
  for (std::size_t i = 0; i < troubles.size(); ++i) {
    const auto& trouble = troubles[i];
    const bool first = i == 0 || troubles[i - 1].kind != trouble.kind;
    if (first) {
      named = 0;
      out += (out.empty() ? "" : "; ") + std::string(words_of(trouble.kind));
    }
    if (trouble.what.empty() || ++named > kMost) continue;
    out += (first ? ": " : ", ") + trouble.what;
    if (named == kMost) out += ", …";
  }
  return out;
}

}  // namespace nimbus::controller
