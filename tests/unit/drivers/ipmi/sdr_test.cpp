#include "drivers/ipmi/sdr.hpp"

#include <doctest/doctest.h>

#include "drivers/ipmi/events.hpp"
#include "drivers/ipmi/sensors.hpp"

using namespace nimbus;
using namespace nimbus::ipmi;

namespace {

using Data = std::vector<std::uint8_t>;

Data with_name(Data body, std::string_view name, unsigned type = 0xC0) {
  body.push_back(static_cast<std::uint8_t>(type | name.size()));
  body.insert(body.end(), name.begin(), name.end());
  return body;
}

Data record(std::uint8_t type, const Data& body) {
  Data out = {0x07, 0x00, 0x51, type, static_cast<std::uint8_t>(body.size())};
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

/// A full record of a threshold sensor, by its units, linearization and factors.
Data full(std::uint8_t sensor_type, Data units, std::uint8_t linearization, Data factors) {
  Data body = {0x20, 0x01, 0x42, 0x07, 0x01, 0x7F, 0x68, sensor_type, 0x01, 0, 0, 0, 0, 0, 0};
  body.insert(body.end(), units.begin(), units.end());
  body.push_back(linearization);
  body.insert(body.end(), factors.begin(), factors.end());
  body.insert(body.end(), 17, 0);
  return record(0x01, with_name(std::move(body), "Inlet Temp"));
}

SensorRecord sensor(const Data& bytes) { return parse_sdr(bytes).value().sensor.value(); }

}  // namespace

TEST_CASE("sensor records: full, compact, event-only, inventory device") {
  const auto temperature = sensor(full(0x01, {0x00, 0x01, 0x00}, 0x00, {0x01, 0, 0, 0, 0, 0}));
  CHECK(temperature.name == "Inlet Temp");
  CHECK(temperature.owner == 0x20);
  CHECK(temperature.lun == 1);
  CHECK(temperature.number == 0x42);
  CHECK(temperature.readable);
  CHECK(temperature.event_type == kThresholdEvents);

  const Data compact = {0x20, 0, 0x10, 0x0A, 1, 0,    0, 0x08, 0x6F, 0, 0, 0, 0,
                        0,    0, 0xC0, 0,    0, 0x02, 0, 0,    0,    0, 0, 0, 0};
  const auto supplies = sensor(record(0x02, with_name(compact, "PSU")));
  CHECK(supplies.shared == 2);
  CHECK(supplies.name == "PSU");
  CHECK(supplies.formula.format == AnalogFormat::None);

  const auto event = sensor(record(0x03, with_name({0x20, 0, 0x99, 1, 1, 0x12, 0x6F, 0, 0, 0, 0}, "Log")));
  CHECK_FALSE(event.readable);
  CHECK(event.name == "Log");

  const Data fru = {0x20, 0x03, 0x80, 0, 0, 0x10, 0, 0x20, 1, 0};
  CHECK(parse_sdr(record(0x11, with_name(fru, "DIMM A1"))).value().fru == FruLocator{3, 0x20, "DIMM A1"});
  Data physical = fru;
  physical[2] = 0;
  CHECK_FALSE(parse_sdr(record(0x11, with_name(physical, "EEPROM"))).value().fru);
  const auto other = parse_sdr(record(0xC0, {1, 2, 3})).value();
  CHECK_FALSE(other.sensor);
  CHECK_FALSE(other.fru);
}

TEST_CASE("sensor records: nothing behind their end is read") {
  const auto whole = full(0x01, {0x00, 0x01, 0x00}, 0x00, {0x01, 0, 0, 0, 0, 0});
  for (std::size_t size = 0; size < whole.size(); ++size) CHECK(!parse_sdr(Bytes(whole).first(size)));
  for (std::uint8_t length = 0; length < 43; ++length) {
    auto lying = whole;
    lying[4] = length;
    CHECK(!parse_sdr(lying));
  }
  // More letters than the record has: what is there is the name.
  auto longer = whole;
  longer[5 + 42] = 0xC0 | 0x1F;
  CHECK(sensor(longer).name == "Inlet Temp");
}

TEST_CASE("readings: linear, signed, with exponents, in our units") {
  const auto value = [](const Data& bytes, std::uint8_t raw) {
    const auto record = sensor(bytes);
    return parse_reading(record, Data{raw, 0x40, 0xC0}).value;
  };
  CHECK(value(full(1, {0x00, 1, 0}, 0, {1, 0, 0, 0, 0, 0}), 42) == doctest::Approx(42));
  CHECK(value(full(4, {0x00, 18, 0}, 0, {100, 0, 0, 0, 0, 0}), 35) == doctest::Approx(3500));
  // 12 V rail: 61 x 10^-3 V.
  CHECK(value(full(2, {0x00, 4, 0}, 0, {61, 0, 0, 0, 0, 0xD0}), 200) == doctest::Approx(12.2));
  // B = -64 with its own exponent 1: x - 640, and M of ten bits, negative.
  CHECK(value(full(1, {0x00, 1, 0}, 0, {1, 0, 0xC0, 0xC0, 0, 0x01}), 100) == doctest::Approx(-540));
  CHECK(value(full(1, {0x00, 1, 0}, 0, {0xFF, 0xC0, 0, 0, 0, 0}), 10) == doctest::Approx(-10));
  CHECK(value(full(1, {0x80, 1, 0}, 0, {1, 0, 0, 0, 0, 0}), 0xF6) == doctest::Approx(-10));   // two's complement
  CHECK(value(full(1, {0x40, 1, 0}, 0, {1, 0, 0, 0, 0, 0}), 0xF5) == doctest::Approx(-10));   // one's complement
  CHECK(value(full(1, {0x00, 2, 0}, 0, {1, 0, 0, 0, 0, 0}), 212) == doctest::Approx(100));    // Fahrenheit
  CHECK(value(full(1, {0x00, 3, 0}, 0, {2, 0, 0, 0, 0, 0}), 150) == doctest::Approx(26.85));  // Kelvin
  CHECK_FALSE(value(full(1, {0xC0, 1, 0}, 0, {1, 0, 0, 0, 0, 0}), 42));                       // no analog reading
}

TEST_CASE("readings: every linearization of the specification") {
  const auto value = [](std::uint8_t linearization, std::uint8_t raw) {
    return convert({.format = AnalogFormat::Unsigned, .linearization = linearization, .factors = {.m = 1}}, raw);
  };
  CHECK(value(0x01, 1) == doctest::Approx(0));
  CHECK(value(0x02, 100) == doctest::Approx(2));
  CHECK(value(0x03, 8) == doctest::Approx(3));
  CHECK(value(0x04, 0) == doctest::Approx(1));
  CHECK(value(0x05, 2) == doctest::Approx(100));
  CHECK(value(0x06, 10) == doctest::Approx(1024));
  CHECK(value(0x07, 4) == doctest::Approx(0.25));
  CHECK(value(0x08, 9) == doctest::Approx(81));
  CHECK(value(0x09, 3) == doctest::Approx(27));
  CHECK(value(0x0A, 144) == doctest::Approx(12));
  CHECK(value(0x0B, 27) == doctest::Approx(3));
  CHECK_FALSE(value(0x01, 0));  // minus infinity
  CHECK_FALSE(value(0x07, 0));
}

TEST_CASE("readings: absent, disabled, beyond limits, discrete") {
  const auto analog = sensor(full(1, {0x00, 1, 0}, 0, {1, 0, 0, 0, 0, 0}));
  CHECK_FALSE(parse_reading(analog, {}).value);
  CHECK_FALSE(parse_reading(analog, Data{42}).value);
  CHECK_FALSE(parse_reading(analog, Data{42, 0x00, 0}).value);  // scanning is off
  CHECK_FALSE(parse_reading(analog, Data{42, 0x60, 0}).value);  // no reading now
  CHECK(parse_reading(analog, Data{42, 0x40}).health == Health::Unknown);
  CHECK(parse_reading(analog, Data{42, 0x40, 0xC0}).health == Health::Ok);
  CHECK(parse_reading(analog, Data{42, 0x40, 0x08}).health == Health::Warning);
  CHECK(parse_reading(analog, Data{42, 0x40, 0x18}).health == Health::Critical);
  CHECK(parse_reading(analog, Data{42, 0x40, 0x20}).health == Health::Critical);

  SensorRecord supply{.sensor_type = 0x08, .event_type = kSensorSpecificStates, .name = "PSU 1"};
  CHECK(parse_reading(supply, Data{0, 0x40, 0x01, 0x80}).state == "present");
  CHECK(parse_reading(supply, Data{0, 0x40, 0x01, 0x80}).health == Health::Ok);
  CHECK(parse_reading(supply, Data{0, 0x40, 0x09, 0x80}).state == "present, input lost");
  CHECK(parse_reading(supply, Data{0, 0x40, 0x09, 0x80}).health == Health::Critical);
  supply.event_type = 0x70;  // the maker's own
  CHECK(parse_reading(supply, Data{0, 0x40, 0x02, 0x00}).state == "state 1");
  supply.name.clear();
  supply.number = 7;
  CHECK(parse_reading(supply, {}).name == "Power supply 7");
}

TEST_CASE("states in words") {
  CHECK(describe_state(0x0C, kSensorSpecificStates, 1) == StateText{"uncorrectable ECC error", Health::Critical});
  CHECK(describe_state(0x01, 0x0B, 1) == StateText{"redundancy lost", Health::Critical});
  CHECK(describe_state(0xC7, kSensorSpecificStates, 3) == StateText{"state 3", Health::Unknown});
  CHECK(describe_limit(9) == StateText{"upper critical going high", Health::Critical});
  CHECK(describe_limit(0) == StateText{"lower non-critical going low", Health::Warning});
  CHECK(describe_limit(12).health == Health::Unknown);
  CHECK(sensor_type_text(0x2C) == "FRU state");
  CHECK(sensor_type_text(0xC7) == "sensor type 0xc7");
}
