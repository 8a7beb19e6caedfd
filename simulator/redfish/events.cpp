#include "simulator/redfish/events.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/time/time.hpp"

namespace nimbus::simulator::redfish {
namespace {

using base::Json;

constexpr std::string_view kRegistry = "ResourceEvent";
constexpr std::size_t kMostWaiting = 256;

bool wants(const std::vector<std::string>& list, std::string_view value) {
  return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
}

struct Told {
  Json record;
  std::string_view resource_type;
};

/// DSP0268's ResourceEvent registry has a message for these; the rest of the log is the
/// log's own business.
std::optional<Told> tell(const Happening& happening, const Machine& machine, const std::string& system,
                         const std::string& chassis) {
  constexpr std::uint8_t kPowerUnit = 0x09;
  constexpr std::uint8_t kAcpi = 0x22;
  constexpr std::uint8_t kThreshold = 0x01;
  const SensorEvent& event = happening.event;
  if (event.sensor_type == kAcpi) {
    return Told{
        event_record("ResourceEvent.1.3.0.ResourcePoweredOn", fmt::format("The resource '{}' has powered on.", system),
                     {system}, "OK", system, happening.at),
        "ComputerSystem"};
  }
  if (event.sensor_type == kPowerUnit) {
    return Told{
        event_record("ResourceEvent.1.3.0.ResourcePoweredOff",
                     fmt::format("The resource '{}' has powered off.", system), {system}, "OK", system, happening.at),
        "ComputerSystem"};
  }
  const Sensor* sensor = machine.hardware().sensor(event.sensor_number);
  if ((event.event_type & 0x7f) != kThreshold || sensor == nullptr) return std::nullopt;
  const bool asserted = (event.event_type & 0x80) == 0;
  if (asserted) {
    return Told{
        event_record("ResourceEvent.1.3.0.ResourceErrorThresholdExceeded",
                     fmt::format("The resource property '{}' has exceeded error threshold of value 1.", sensor->name),
                     {sensor->name, "1"}, "Critical", chassis, happening.at),
        "Chassis"};
  }
  return Told{
      event_record("ResourceEvent.1.3.0.ResourceErrorThresholdCleared",
                   fmt::format("The resource property '{}' has cleared the error threshold of value 1.", sensor->name),
                   {sensor->name, "1"}, "OK", chassis, happening.at),
      "Chassis"};
}

}  // namespace

Json event_record(std::string_view message_id, std::string_view message,
                  std::initializer_list<std::string_view> arguments, std::string_view severity, std::string_view origin,
                  WallTime at) {
  Json list = Json::array();
  for (const auto argument : arguments) list.push(argument);
  return Json::object({{"MemberId", "0"},
                       {"EventTimestamp", base::to_rfc3339(at)},
                       {"MessageId", message_id},
                       {"Message", message},
                       {"MessageArgs", std::move(list)},
                       {"MessageSeverity", severity},
                       {"OriginOfCondition", Json::object({{"@odata.id", origin}})}});
}

const Subscription* Events::add(Subscription subscription) {
  if (all_.size() >= kMost || (subscription.stream && streams() >= kMostStreams)) return nullptr;
  subscription.id = std::to_string(next_id_++);
  all_.push_back(std::move(subscription));
  return &all_.back();
}

Subscription* Events::find(std::string_view id) {
  const auto found = std::find_if(all_.begin(), all_.end(), [id](const auto& one) { return one.id == id; });
  return found == all_.end() ? nullptr : &*found;
}

bool Events::remove(std::string_view id) {
  const auto found = std::find_if(all_.begin(), all_.end(), [id](const auto& one) { return one.id == id; });
  if (found == all_.end()) return false;
  if (found->stream) ended_.push_back(*found->stream);
  all_.erase(found);
  return true;
}

void Events::remove_stream(std::uint64_t number) {
  std::erase_if(all_, [number](const auto& one) { return one.stream == number; });
}

std::size_t Events::streams() const noexcept {
  return static_cast<std::size_t>(
      std::count_if(all_.begin(), all_.end(), [](const auto& one) { return one.stream.has_value(); }));
}

void Events::collect(Machine& machine, const std::string& system, const std::string& chassis) {
  machine.listened = !all_.empty();
  for (const auto& happening : std::exchange(machine.happenings, {})) {
    const auto told = tell(happening, machine, system, chassis);
    if (!told) continue;
    for (const auto& one : all_) {
      if (wants(one.registry_prefixes, kRegistry) && wants(one.resource_types, told->resource_type))
        deliver(one, told->record);
    }
  }
}

void Events::send(const Json& record) {
  for (const auto& one : all_) deliver(one, record);
}

void Events::deliver(const Subscription& subscription, const Json& record) {
  if (outbox_.size() >= kMostWaiting) return;  // nobody takes them: a BMC forgets as well
  const std::uint64_t id = next_event_++;
  Json one = record;
  one.set("EventId", std::to_string(id));
  Json event = Json::object({{"@odata.type", "#Event.v1_7_0.Event"},
                             {"Id", std::to_string(id)},
                             {"Name", "Event"},
                             {"Events@odata.count", 1},
                             {"Events", Json::array({std::move(one)})}});
  if (!subscription.context.empty()) event.set("Context", subscription.context);
  outbox_.push_back(
      {subscription.id, subscription.destination, subscription.stream, subscription.headers, id, event.text()});
}

}  // namespace nimbus::simulator::redfish
