// Chassis with its sensors, in the old form (Thermal, Power) and the new one
// (ThermalSubsystem, PowerSubsystem, Sensors).
#include <fmt/format.h>

#include "simulator/redfish/routes.hpp"

namespace nimbus::simulator::redfish {
namespace {

Json optional_number(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

std::string sensor_id(const Sensor& sensor) {
  std::string out;
  for (const char c : sensor.name) out += c == ' ' ? '_' : c;
  return out;
}

std::string_view health_of(const Sensor& sensor, const std::optional<double>& value) {
  const Thresholds& t = sensor.thresholds;
  if (!value) return "OK";
  if ((t.upper_critical && *value >= *t.upper_critical) || (t.lower_critical && *value <= *t.lower_critical))
    return "Critical";
  if ((t.upper_caution && *value >= *t.upper_caution) || (t.lower_caution && *value <= *t.lower_caution))
    return "Warning";
  return "OK";
}

Json sensor_status(const Sensor& sensor, const std::optional<double>& value) {
  if (!value) return Json::object({{"State", "StandbyOffline"}});
  return Json::object({{"State", "Enabled"}, {"Health", health_of(sensor, value)}});
}

std::optional<Json> chassis_list(Call& call) {
  return collection("/redfish/v1/Chassis", "#ChassisCollection.ChassisCollection", "Chassis Collection",
                    {call.service.chassis});
}

std::optional<Json> chassis(Call& call) {
  if (!is_chassis(call)) return std::nullopt;
  const Machine& machine = call.machine;
  const std::string& path = call.service.chassis;
  Json out = document(path, "#Chassis.v1_23_0.Chassis", call.ids[0], "Chassis");
  out.set("ChassisType", "RackMount");
  out.set("Manufacturer", machine.hardware().manufacturer);
  out.set("Model", machine.hardware().model);
  out.set("SerialNumber", machine.identity.serial);
  out.set("PartNumber", machine.hardware().part_number);
  out.set("PowerState", machine.has_power() ? "On" : "Off");
  out.set("LocationIndicatorActive", machine.identify);
  out.set("Status", status_ok());
  if (!call.quirks().has(Quirk::NewSensorsOnly)) {
    out.set("Thermal", link(path + "/Thermal"));
    out.set("Power", link(path + "/Power"));
  }
  out.set("ThermalSubsystem", link(path + "/ThermalSubsystem"));
  out.set("PowerSubsystem", link(path + "/PowerSubsystem"));
  out.set("Sensors", link(path + "/Sensors"));
  out.set("Links", Json::object({{"ComputerSystems", links({call.service.system})},
                                 {"ManagedBy", links({call.service.manager})}}));
  return out;
}

Response patch_chassis(Call& call) {
  for (const auto& [name, value] : call.body.members()) {
    const auto on = value.as_bool();
    if (name != "LocationIndicatorActive") return call.refuse(400, "PropertyNotWritable", {name}, name);
    if (!on) return call.refuse(400, "PropertyValueTypeError", {value.text(), name}, name);
    call.machine.identify = *on;
  }
  return with_document(call, chassis);
}

/// A member of the old arrays; `reading` is the property's name there.
Json old_sensor(const Call& call, const Sensor& sensor, const std::string& path, std::string_view reading) {
  const auto value = call.machine.reading(sensor);
  const Thresholds& t = sensor.thresholds;
  Json out = Json::object({{"@odata.id", path},
                           {"MemberId", path.substr(path.rfind('/') + 1)},
                           {"Name", sensor.name},
                           {"SensorNumber", int{sensor.number}}});
  out.set(std::string(reading), optional_number(value));
  out.set("LowerThresholdCritical", optional_number(t.lower_critical));
  out.set("LowerThresholdNonCritical", optional_number(t.lower_caution));
  out.set("UpperThresholdNonCritical", optional_number(t.upper_caution));
  out.set("UpperThresholdCritical", optional_number(t.upper_critical));
  out.set("Status", sensor_status(sensor, value));
  return out;
}

Json integer_or_null(const std::optional<double>& value) {
  return value ? Json(static_cast<std::int64_t>(*value)) : Json();
}

std::optional<Json> thermal(Call& call) {
  if (!is_chassis(call) || call.quirks().has(Quirk::NewSensorsOnly)) return std::nullopt;
  Json out = document(call.path, "#Thermal.v1_7_1.Thermal", "Thermal", "Thermal");
  Json temperatures = Json::array();
  Json fans = Json::array();
  for (const auto& sensor : call.machine.hardware().sensors) {
    if (sensor.kind == SensorKind::Temperature) {
      Json one = old_sensor(call, sensor, fmt::format("{}#/Temperatures/{}", call.path, temperatures.size()),
                            "ReadingCelsius");
      one.set("PhysicalContext", sensor.context);
      temperatures.push(std::move(one));
    } else if (sensor.kind == SensorKind::Fan) {
      Json one = old_sensor(call, sensor, fmt::format("{}#/Fans/{}", call.path, fans.size()), "Reading");
      one.set("Reading", integer_or_null(call.machine.reading(sensor)));
      one.set("LowerThresholdCritical", integer_or_null(sensor.thresholds.lower_critical));
      one.set("LowerThresholdNonCritical", integer_or_null(sensor.thresholds.lower_caution));
      one.set("UpperThresholdNonCritical", integer_or_null(sensor.thresholds.upper_caution));
      one.set("UpperThresholdCritical", integer_or_null(sensor.thresholds.upper_critical));
      one.set("ReadingUnits", "RPM");
      fans.push(std::move(one));
    }
  }
  out.set("Temperatures@odata.count", temperatures.size());
  out.set("Temperatures", std::move(temperatures));
  out.set("Fans@odata.count", fans.size());
  out.set("Fans", std::move(fans));
  return out;
}

std::optional<Json> power(Call& call) {
  if (!is_chassis(call) || call.quirks().has(Quirk::NewSensorsOnly)) return std::nullopt;
  Json out = document(call.path, "#Power.v1_7_1.Power", "Power", "Power");
  Json voltages = Json::array();
  Json supplies = Json::array();
  double watts = 0;
  for (const auto& sensor : call.machine.hardware().sensors) {
    const auto value = call.machine.reading(sensor);
    if (sensor.kind == SensorKind::Voltage) {
      voltages.push(
          old_sensor(call, sensor, fmt::format("{}#/Voltages/{}", call.path, voltages.size()), "ReadingVolts"));
    } else if (sensor.kind == SensorKind::Power) {
      watts += value.value_or(0);
      supplies.push(Json::object({{"@odata.id", fmt::format("{}#/PowerSupplies/{}", call.path, supplies.size())},
                                  {"MemberId", fmt::format("{}", supplies.size())},
                                  {"Name", sensor.name},
                                  {"PowerSupplyType", "AC"},
                                  {"PowerInputWatts", optional_number(value)},
                                  {"PowerCapacityWatts", 1100},
                                  {"Status", sensor_status(sensor, value)}}));
    }
  }
  out.set("PowerControl", Json::array({Json::object({{"@odata.id", call.path + "#/PowerControl/0"},
                                                     {"MemberId", "0"},
                                                     {"Name", "Server Power Control"},
                                                     {"PowerConsumedWatts", watts}})}));
  out.set("Voltages", std::move(voltages));
  out.set("PowerSupplies", std::move(supplies));
  return out;
}

std::optional<Json> sensors(Call& call) {
  if (!is_chassis(call)) return std::nullopt;
  std::vector<std::string> members;
  for (const auto& sensor : call.machine.hardware().sensors)
    members.push_back(fmt::format("{}/Sensors/{}", call.service.chassis, sensor_id(sensor)));
  return collection(call.path, "#SensorCollection.SensorCollection", "Sensors", members);
}

void set_kind(Json& out, SensorKind kind) {
  switch (kind) {
    case SensorKind::Temperature:
      out.set("ReadingType", "Temperature");
      out.set("ReadingUnits", "Cel");
      return;
    case SensorKind::Voltage:
      out.set("ReadingType", "Voltage");
      out.set("ReadingUnits", "V");
      return;
    case SensorKind::Fan:
      out.set("ReadingType", "Rotational");
      out.set("ReadingUnits", "{rev}/min");
      return;
    case SensorKind::Power:
      out.set("ReadingType", "Power");
      out.set("ReadingUnits", "W");
      return;
  }
}

std::optional<Json> sensor(Call& call) {
  if (!is_chassis(call)) return std::nullopt;
  for (const auto& sensor : call.machine.hardware().sensors) {
    if (sensor_id(sensor) != call.ids[1]) continue;
    const auto value = call.machine.reading(sensor);
    Json out = document(call.path, "#Sensor.v1_7_0.Sensor", sensor_id(sensor), sensor.name);
    out.set("Reading", optional_number(value));
    set_kind(out, sensor.kind);
    out.set("PhysicalContext", sensor.context);
    Json thresholds = Json::object();
    const auto add = [&](const char* name, const std::optional<double>& limit) {
      if (limit) thresholds.set(name, Json::object({{"Reading", *limit}}));
    };
    add("LowerCritical", sensor.thresholds.lower_critical);
    add("LowerCaution", sensor.thresholds.lower_caution);
    add("UpperCaution", sensor.thresholds.upper_caution);
    add("UpperCritical", sensor.thresholds.upper_critical);
    out.set("Thresholds", std::move(thresholds));
    out.set("Status", sensor_status(sensor, value));
    return out;
  }
  return std::nullopt;
}

std::optional<Json> thermal_subsystem(Call& call) {
  if (!is_chassis(call)) return std::nullopt;
  Json out = document(call.path, "#ThermalSubsystem.v1_3_0.ThermalSubsystem", "ThermalSubsystem", "Thermal Subsystem");
  out.set("Fans", link(call.path + "/Fans"));
  out.set("ThermalMetrics", link(call.path + "/ThermalMetrics"));
  out.set("Status", status_ok());
  return out;
}

std::optional<Json> thermal_metrics(Call& call) {
  if (!is_chassis(call)) return std::nullopt;
  Json out = document(call.path, "#ThermalMetrics.v1_2_0.ThermalMetrics", "ThermalMetrics", "Thermal Metrics");
  Json readings = Json::array();
  for (const auto& sensor : call.machine.hardware().sensors) {
    if (sensor.kind != SensorKind::Temperature) continue;
    readings.push(
        Json::object({{"DeviceName", sensor.name},
                      {"DataSourceUri", fmt::format("{}/Sensors/{}", call.service.chassis, sensor_id(sensor))},
                      {"Reading", optional_number(call.machine.reading(sensor))}}));
  }
  out.set("TemperatureReadingsCelsius", std::move(readings));
  return out;
}

/// Fans and power supplies: one per sensor of that kind.
std::optional<Json> parts(Call& call, SensorKind kind, std::string_view type, std::string_view name) {
  if (!is_chassis(call)) return std::nullopt;
  std::vector<std::string> members;
  for (const auto& sensor : call.machine.hardware().sensors) {
    if (sensor.kind == kind) members.push_back(fmt::format("{}/{}", call.path, sensor_id(sensor)));
  }
  return collection(call.path, type, name, members);
}
std::optional<Json> fans(Call& call) { return parts(call, SensorKind::Fan, "#FanCollection.FanCollection", "Fans"); }
std::optional<Json> supplies(Call& call) {
  return parts(call, SensorKind::Power, "#PowerSupplyCollection.PowerSupplyCollection", "Power Supplies");
}

std::optional<Json> part(Call& call, SensorKind kind, std::string_view type) {
  if (!is_chassis(call)) return std::nullopt;
  for (const auto& sensor : call.machine.hardware().sensors) {
    if (sensor.kind != kind || sensor_id(sensor) != call.ids[1]) continue;
    const auto value = call.machine.reading(sensor);
    Json out = document(call.path, type, sensor_id(sensor), sensor.name);
    if (kind == SensorKind::Fan) {
      out.set("SpeedPercent",
              Json::object({{"DataSourceUri", fmt::format("{}/Sensors/{}", call.service.chassis, sensor_id(sensor))},
                            {"SpeedRPM", optional_number(value)}}));
    } else {
      out.set("PowerSupplyType", "AC");
      out.set("PowerCapacityWatts", 1100);
    }
    out.set("Status", sensor_status(sensor, value));
    return out;
  }
  return std::nullopt;
}
std::optional<Json> fan(Call& call) { return part(call, SensorKind::Fan, "#Fan.v1_5_0.Fan"); }
std::optional<Json> supply(Call& call) { return part(call, SensorKind::Power, "#PowerSupply.v1_5_2.PowerSupply"); }

std::optional<Json> power_subsystem(Call& call) {
  if (!is_chassis(call)) return std::nullopt;
  Json out = document(call.path, "#PowerSubsystem.v1_1_1.PowerSubsystem", "PowerSubsystem", "Power Subsystem");
  out.set("CapacityWatts", 2200);
  out.set("PowerSupplies", link(call.path + "/PowerSupplies"));
  out.set("Status", status_ok());
  return out;
}

constexpr Route kRoutes[] = {
    {"/redfish/v1/Chassis", chassis_list},
    {.pattern = "/redfish/v1/Chassis/{}", .get = chassis, .patch = patch_chassis},
    {"/redfish/v1/Chassis/{}/Thermal", thermal},
    {"/redfish/v1/Chassis/{}/Power", power},
    {"/redfish/v1/Chassis/{}/Sensors", sensors},
    {"/redfish/v1/Chassis/{}/Sensors/{}", sensor},
    {"/redfish/v1/Chassis/{}/ThermalSubsystem", thermal_subsystem},
    {"/redfish/v1/Chassis/{}/ThermalSubsystem/ThermalMetrics", thermal_metrics},
    {"/redfish/v1/Chassis/{}/ThermalSubsystem/Fans", fans},
    {"/redfish/v1/Chassis/{}/ThermalSubsystem/Fans/{}", fan},
    {"/redfish/v1/Chassis/{}/PowerSubsystem", power_subsystem},
    {"/redfish/v1/Chassis/{}/PowerSubsystem/PowerSupplies", supplies},
    {"/redfish/v1/Chassis/{}/PowerSubsystem/PowerSupplies/{}", supply},
};

}  // namespace

std::span<const Route> chassis_routes() noexcept { return kRoutes; }

}  // namespace nimbus::simulator::redfish
