// Time zones, each read once. Thread rule: safe from any thread.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "core/ports/clock.hpp"

namespace nimbus::base {
class TimeZone;
}

namespace nimbus::controller {

class ZoneTable {
 public:
  ZoneTable();
  ~ZoneTable();
  /// From UTC, at this moment. Nothing: no such zone, which is logged once.
  std::optional<std::chrono::seconds> offset(const std::string& name, WallTime at);

 private:
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<const base::TimeZone>> zones_;  // null: no such zone
};

}  // namespace nimbus::controller
