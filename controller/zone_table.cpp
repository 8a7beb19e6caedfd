#include "controller/zone_table.hpp"

#include <utility>

#include "base/log/log.hpp"
#include "base/time/time_zone.hpp"

namespace nimbus::controller {

ZoneTable::ZoneTable() = default;
ZoneTable::~ZoneTable() = default;

std::optional<std::chrono::seconds> ZoneTable::offset(const std::string& name, WallTime at) {
  const std::lock_guard lock(mutex_);
  auto known = zones_.find(name);
  if (known == zones_.end()) {
    auto zone = base::TimeZone::load(name);
    if (!zone) base::log(base::Level::Warning, "no-time-zone", zone.error().text());
    known = zones_.emplace(name, zone ? std::make_unique<const base::TimeZone>(std::move(*zone)) : nullptr).first;
  }
  if (!known->second) return std::nullopt;
  return known->second->offset_at(at);
}

}  // namespace nimbus::controller
