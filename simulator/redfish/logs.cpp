// LogServices: the system event log, the same records as IPMI's (DSP2046, LogService).
#include <fmt/format.h>

#include <charconv>

#include "base/text/text.hpp"
#include "base/time/time.hpp"
#include "simulator/redfish/routes.hpp"

namespace nimbus::simulator::redfish {
namespace {

/// One log, shown below the system and below the manager.
std::optional<std::string> parent_of(const Call& call) {
  if (is_system(call) && call.path.starts_with(call.service.system)) return call.service.system;
  if (is_manager(call) && call.path.starts_with(call.service.manager)) return call.service.manager;
  return std::nullopt;
}

std::optional<Json> services(Call& call) {
  const auto parent = parent_of(call);
  if (!parent) return std::nullopt;
  return collection(*parent + "/LogServices", "#LogServiceCollection.LogServiceCollection", "Log Services",
                    {*parent + "/LogServices/SEL"});
}

std::optional<Json> service(Call& call) {
  const auto parent = parent_of(call);
  if (!parent || call.ids[1] != "SEL") return std::nullopt;
  const std::string path = *parent + "/LogServices/SEL";
  Json out = document(path, "#LogService.v1_5_1.LogService", "SEL", "System Event Log");
  out.set("LogEntryType", "SEL");
  out.set("OverWritePolicy", "NeverOverWrites");
  out.set("MaxNumberOfRecords", EventLog::kCapacity);
  out.set("DateTime", base::to_rfc3339(call.machine.bmc_time()));
  out.set("DateTimeLocalOffset", "+00:00");
  out.set("ServiceEnabled", true);
  out.set("Entries", link(path + "/Entries"));
  out.set("Status", status_ok());
  out.set("Actions",
          Json::object({{"#LogService.ClearLog", Json::object({{"target", path + "/Actions/LogService.ClearLog"}})}}));
  return out;
}

std::string_view sensor_type_text(std::uint8_t type) {
  switch (type) {
    case 0x01:
      return "Temperature";
    case 0x02:
      return "Voltage";
    case 0x04:
      return "Fan";
    case 0x09:
      return "Power Unit";
    case 0x0b:
      return "Other Units-based Sensor";
    case 0x13:
      return "Critical Interrupt";
    case 0x1f:
      return "OS Boot";
    case 0x22:
      return "System ACPI PowerState";
    default:
      return "System Event";
  }
}

std::string describe(const Call& call, const LogRecord& record) {
  const Sensor* sensor = call.machine.hardware().sensor(record.bytes[11]);
  const std::string_view what = sensor_type_text(record.bytes[10]);
  const bool asserted = (record.bytes[12] & 0x80) == 0;
  if ((record.bytes[12] & 0x7f) == 0x01 && sensor != nullptr) {
    return fmt::format("{} {} a threshold ({})", sensor->name, asserted ? "crossed" : "came back within", what);
  }
  return fmt::format("{}, offset {} {}", what, record.bytes[13] & 0x0f, asserted ? "asserted" : "deasserted");
}

std::string_view severity_of(const LogRecord& record) {
  const bool threshold = (record.bytes[12] & 0x7f) == 0x01;
  if (!threshold || (record.bytes[12] & 0x80) != 0) return "OK";
  const int offset = record.bytes[13] & 0x0f;
  return offset == 0x02 || offset == 0x09 ? "Critical" : "Warning";
}

Json entry_document(const Call& call, const std::string& path, const LogRecord& record) {
  Json out = document(fmt::format("{}/{}", path, record.id), "#LogEntry.v1_15_0.LogEntry", std::to_string(record.id),
                      "Log entry");
  out.set("EntryType", "SEL");
  out.set("Created", base::to_rfc3339(record.at));
  out.set("Severity", severity_of(record));
  out.set("Message", describe(call, record));
  out.set("SensorNumber", int{record.bytes[11]});
  out.set("MessageId", fmt::format("0x{}", base::to_hex(std::span(record.bytes).subspan(10))));
  return out;
}

std::optional<Json> entries(Call& call) {
  const auto parent = parent_of(call);
  if (!parent || call.ids[1] != "SEL") return std::nullopt;
  const std::string path = *parent + "/LogServices/SEL/Entries";
  Json members = Json::array();
  for (const auto& record : call.machine.events.records()) members.push(entry_document(call, path, record));
  Json out = Json::object(
      {{"@odata.id", path}, {"@odata.type", "#LogEntryCollection.LogEntryCollection"}, {"Name", "Log Entries"}});
  out.set("Members@odata.count", members.size());
  out.set("Members", std::move(members));
  return out;
}

std::optional<Json> entry(Call& call) {
  const auto parent = parent_of(call);
  if (!parent || call.ids[1] != "SEL") return std::nullopt;
  for (const auto& record : call.machine.events.records()) {
    if (std::to_string(record.id) == call.ids[2])
      return entry_document(call, *parent + "/LogServices/SEL/Entries", record);
  }
  return std::nullopt;
}

Response clear(Call& call) {
  if (!parent_of(call) || call.ids[1] != "SEL") return call.refuse(404, "ResourceMissingAtURI", {call.path});
  call.machine.events.clear(call.machine.bmc_time());
  return no_content();
}

constexpr Route kRoutes[] = {
    {"/redfish/v1/Systems/{}/LogServices", services},
    {"/redfish/v1/Systems/{}/LogServices/{}", service},
    {"/redfish/v1/Systems/{}/LogServices/{}/Entries", entries},
    {"/redfish/v1/Systems/{}/LogServices/{}/Entries/{}", entry},
    {.pattern = "/redfish/v1/Systems/{}/LogServices/{}/Actions/LogService.ClearLog", .post = clear},
    {"/redfish/v1/Managers/{}/LogServices", services},
    {"/redfish/v1/Managers/{}/LogServices/{}", service},
    {"/redfish/v1/Managers/{}/LogServices/{}/Entries", entries},
    {"/redfish/v1/Managers/{}/LogServices/{}/Entries/{}", entry},
    {.pattern = "/redfish/v1/Managers/{}/LogServices/{}/Actions/LogService.ClearLog", .post = clear},
};

}  // namespace

std::span<const Route> log_routes() noexcept { return kRoutes; }

}  // namespace nimbus::simulator::redfish
