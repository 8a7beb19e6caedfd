#include "drivers/redfish/event_log.hpp"

#include <algorithm>

#include "base/text/text.hpp"
#include "base/time/time.hpp"
#include "drivers/redfish/walk.hpp"

namespace nimbus::redfish {
namespace {

using base::Json;

constexpr std::size_t kMostEntries = 2'000;

std::optional<std::string> best_log(Walk& walk, const std::string& services) {
  auto members = walk.members(services);
  if (!members || members->empty()) return std::nullopt;
  const auto best = std::min_element(members->begin(), members->end(),
                                     [](const Json& a, const Json& b) { return rank_of_log(a) < rank_of_log(b); });
  const std::string entries = link_of((*best)["Entries"]);
  if (entries.empty()) return std::nullopt;
  return entries;
}

}  // namespace

int rank_of_log(const Json& service) {
  const std::string type = base::to_lower(text_of(service["LogEntryType"]));
  const std::string id = base::to_lower(text_of(service["Id"]));
  if (type == "sel" || id == "sel") return 0;
  if (id == "iml" || id == "eventlog" || id == "log1" || id == "standardlog" || id == "platformlog") return 1;
  if (id == "iel") return 3;
  if (id == "lclog" || id == "sl" || id == "faultlist") return 4;
  if (id == "hostlogger" || id == "journal" || id == "dump" || id == "auditlog" || id == "crashdump")
    return 5;  // NOLINT
  return 2;
}

LogEntry read_log_entry(const Json& json) {
  LogEntry out{.id = text_of(json["Id"]),
               .when = base::from_rfc3339(text_of(json["Created"])),
               .severity = Health::Unknown,
               .sensor = text_of(json["SensorType"]),
               .message = text_of(json["Message"])};
  const std::string severity = text_of(json["Severity"]);
  if (severity == "OK") out.severity = Health::Ok;
  if (severity == "Warning") out.severity = Health::Warning;
  if (severity == "Critical") out.severity = Health::Critical;
  if (out.message.empty()) out.message = text_of(json["MessageId"]);
  return out;
}

Result<std::vector<LogEntry>> EventLogReader::entries(std::size_t most, const Call& call) {
  const auto system = machine_.read(call);
  if (!system) return system.error();
  const std::string of_system = (*system)->log_services;
  const auto manager = machine_.manager(call);
  if (!manager) return manager.error();
  const std::string of_manager = *manager == nullptr ? "" : (*manager)->log_services;

  Walk walk(machine_, call, {.documents = 2'500, .members = kMostEntries, .pages = 64});
  auto link = best_log(walk, of_system);
  if (!link && !walk.trouble()) link = best_log(walk, of_manager);
  if (walk.trouble()) return Error(*walk.trouble()).with("while looking for the event log");
  if (!link) return Error{Code::Unsupported, "the BMC offers no event log"};
  const auto members = walk.members(*link);
  if (walk.trouble()) return Error(*walk.trouble()).with("while reading the event log");
  if (!members) return Error{Code::Unsupported, "the BMC's event log cannot be read"};

  std::vector<LogEntry> out;
  for (const auto& member : *members) out.push_back(read_log_entry(member));
  // Some list the newest first, some the oldest; numbers start again after a clear.
  const bool newest_first =
      out.size() > 1 && out.front().when && out.back().when && *out.back().when < *out.front().when;
  if (newest_first) std::reverse(out.begin(), out.end());
  if (out.size() > most) out.erase(out.begin(), out.end() - static_cast<std::ptrdiff_t>(most));
  return out;
}

}  // namespace nimbus::redfish
