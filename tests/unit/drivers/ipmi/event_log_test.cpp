#include "drivers/ipmi/event_log.hpp"

#include <doctest/doctest.h>

using namespace nimbus;
using namespace nimbus::ipmi;

namespace {

using Data = std::vector<std::uint8_t>;

SdrRepository::Contents with_temperature() {
  SensorRecord sensor{.owner = 0x20, .number = 0x42, .sensor_type = 1, .event_type = 1, .name = "Inlet Temp"};
  sensor.formula = {.format = AnalogFormat::Unsigned, .base_unit = 1, .factors = {.m = 1}};
  return {.sensors = {sensor}, .frus = {}};
}

}  // namespace

TEST_CASE("event log: system events") {
  const auto sensors = with_temperature();
  // 2024-01-01 00:00:00 UTC; upper critical going high, with reading and limit.
  const Data hot = {0x05, 0x01, 0x02, 0x80, 0x00, 0x92, 0x65, 0x20, 0x00, 0x04, 0x01, 0x42, 0x01, 0x59, 95, 90};
  const auto entry = describe_event(hot, &sensors);
  CHECK(entry.id == "261");
  CHECK(entry.when == WallTime(std::chrono::seconds(1704067200)));
  CHECK(entry.sensor == "Inlet Temp");
  CHECK(entry.message == "Temperature: upper critical going high: 95 Cel, limit 90 Cel");
  CHECK(entry.severity == Health::Critical);

  auto cooled = hot;
  cooled[12] = 0x81;
  CHECK(describe_event(cooled, &sensors).message ==
        "Temperature: upper critical going high: 95 Cel, limit 90 Cel (ended)");
  CHECK(describe_event(cooled, &sensors).severity == Health::Ok);

  const auto nameless = describe_event(hot, nullptr);
  CHECK(nameless.sensor == "Temperature 0x42");
  CHECK(nameless.message == "Temperature: upper critical going high: raw 0x5f, limit raw 0x5a");

  const Data memory = {1, 0, 0x02, 0, 0, 0, 0, 0x20, 0, 4, 0x0C, 0x10, 0x6F, 0xA1, 0x00, 0x03};
  CHECK(describe_event(memory, nullptr).message == "Memory: uncorrectable ECC error (0x00 0x03)");
  CHECK_FALSE(describe_event(memory, nullptr).when);  // seconds since the BMC's start
  const Data own = {1, 0, 0x02, 0, 0, 0, 0, 0x20, 0, 4, 0xC0, 0x10, 0x72, 0xA1, 0x00, 0x03};
  CHECK(describe_event(own, nullptr).severity == Health::Unknown);
}

TEST_CASE("event log: makers' records, unknown types, cut records") {
  const Data timed = {2, 0, 0xC1, 0x80, 0x00, 0x92, 0x65, 0xA2, 0x02, 0x00, 1, 2, 3, 4, 5, 6};
  CHECK(describe_event(timed, nullptr).message == "maker's own record (enterprise 674): 010203040506");
  CHECK(describe_event(timed, nullptr).when);
  const Data untimed = {3, 0, 0xE0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};
  CHECK(describe_event(untimed, nullptr).message == "maker's own record: 0102030405060708090a0b0c0d");
  CHECK_FALSE(describe_event(untimed, nullptr).when);
  const Data strange = {4, 0, 0x55, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  CHECK(describe_event(strange, nullptr).message == "record of type 0x55: 010203040506070809");
  for (std::size_t size = 0; size < 14; ++size) {
    CHECK(describe_event(Bytes(timed).first(size), nullptr).message.find("own record") != 0);
  }
}
