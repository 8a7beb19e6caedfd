#include "drivers/redfish/sensors.hpp"

#include <algorithm>
#include <iterator>

#include "base/text/text.hpp"
#include "drivers/redfish/walk.hpp"

namespace nimbus::redfish {
namespace {

using base::Json;

constexpr std::size_t kMostChassis = 48;  // accelerator baseboards list more than 40

Health health_of(const Json& json) {
  const std::string text = text_of(json["Status"]["Health"]);
  if (text == "OK") return Health::Ok;
  if (text == "Warning") return Health::Warning;
  return text == "Critical" ? Health::Critical : Health::Unknown;
}

bool is_absent(const Json& json) { return text_of(json["Status"]["State"]) == "Absent"; }

struct Kind {
  SensorKind kind;
  std::string_view unit;
};

void add(std::vector<SensorReading>& out, const Json& json, Kind kind, std::string_view reading) {
  if (!json.is_object() || is_absent(json)) return;
  SensorReading sensor{.name = text_of(json["Name"]),
                       .kind = kind.kind,
                       .unit = std::string(kind.unit),
                       .value = json[reading].as_double(),
                       .state = {},
                       .health = health_of(json)};
  if (sensor.name.empty()) sensor.name = text_of(json["FanName"]);  // before Thermal 1.1
  if (sensor.name.empty()) sensor.name = text_of(json["MemberId"]);
  if (!sensor.value) sensor.state = text_of(json["Status"]["State"]);
  if (!sensor.name.empty()) out.push_back(std::move(sensor));
}

Kind kind_of(const Json& json) {
  const std::string type = text_of(json["ReadingType"]);
  const std::string units = text_of(json["ReadingUnits"]);
  if (type == "Temperature") return {SensorKind::Temperature, "Cel"};
  if (type == "Rotational") return {SensorKind::Fan, units == "%" ? "%" : "RPM"};
  if (type == "Voltage") return {SensorKind::Voltage, "V"};
  if (type == "Current") return {SensorKind::Current, "A"};
  if (type == "Power") return {SensorKind::Power, "W"};
  if (type == "EnergyJoules") return {SensorKind::Energy, "J"};
  if (type == "Humidity") return {SensorKind::Humidity, "%"};
  if (type == "Percent" && base::to_lower(text_of(json["Name"])).find("fan") != std::string::npos)
    return {SensorKind::Fan, "%"};
  return {SensorKind::Other, units == "%" ? "%" : ""};
}

void append(std::vector<SensorReading>& out, std::vector<SensorReading> more) {
  out.insert(out.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

}  // namespace

std::vector<SensorReading> read_thermal(const Json& json) {
  std::vector<SensorReading> out;
  for (const auto& one : json["Temperatures"].items())
    add(out, one, {SensorKind::Temperature, "Cel"}, "ReadingCelsius");
  for (const auto& one : json["Fans"].items()) {
    const bool percent = text_of(one["ReadingUnits"]) == "Percent";
    add(out, one, {SensorKind::Fan, percent ? "%" : "RPM"}, "Reading");
  }
  return out;
}

std::vector<SensorReading> read_power_readings(const Json& json) {
  std::vector<SensorReading> out;
  for (const auto& one : json["PowerControl"].items()) add(out, one, {SensorKind::Power, "W"}, "PowerConsumedWatts");
  for (const auto& one : json["Voltages"].items()) add(out, one, {SensorKind::Voltage, "V"}, "ReadingVolts");
  for (const auto& one : json["PowerSupplies"].items()) {
    const bool input = one["PowerInputWatts"].as_double().has_value();
    add(out, one, {SensorKind::Power, "W"}, input ? "PowerInputWatts" : "LastPowerOutputWatts");
  }
  return out;
}

SensorReading read_sensor(const Json& json) {
  const Kind kind = kind_of(json);
  SensorReading out{.name = text_of(json["Name"]),
                    .kind = kind.kind,
                    .unit = std::string(kind.unit),
                    .value = json["Reading"].as_double(),
                    .state = {},
                    .health = health_of(json)};
  if (out.name.empty()) out.name = text_of(json["Id"]);
  if (!out.value) out.state = text_of(json["Status"]["State"]);
  return out;
}

Result<std::vector<SensorReading>> SensorReader::sensors(const Call& call) {
  const auto system = machine_.read(call);
  if (!system) return system.error();
  auto links = (*system)->chassis;
  const auto root = machine_.session().root(call);
  if (!root) return root.error();
  Walk walk(machine_, call);
  if (links.size() > kMostChassis) links.resize(kMostChassis);
  std::vector<Json> chassis = walk.all(links);
  if (chassis.empty()) {
    if (auto members = walk.members(root->chassis)) chassis = std::move(*members);
    if (chassis.size() > kMostChassis) chassis.resize(kMostChassis);
  }
  std::vector<SensorReading> out;
  bool offered = false;
  for (const auto& one : chassis) {
    const std::size_t before = out.size();
    if (const auto thermal = walk.get(link_of(one["Thermal"]))) append(out, read_thermal(*thermal));
    if (const auto power = walk.get(link_of(one["Power"]))) append(out, read_power_readings(*power));
    offered = offered || one.find("Thermal") != nullptr || one.find("Sensors") != nullptr;
    const auto old = out.begin() + static_cast<std::ptrdiff_t>(before);
    if (std::any_of(old, out.end(), [](const SensorReading& sensor) { return sensor.value.has_value(); })) continue;
    if (const auto members = walk.members(link_of(one["Sensors"]))) {
      for (const auto& member : *members) {
        if (!is_absent(member)) out.push_back(read_sensor(member));
      }
    }
  }
  if (walk.trouble()) return Error(*walk.trouble()).with("while reading sensors");
  if (out.empty() && !offered) return Error{Code::Unsupported, "the BMC offers no sensors"};
  return out;
}

}  // namespace nimbus::redfish
