#include "drivers/ipmi/fru_records.hpp"

#include <numeric>

#include <doctest/doctest.h>

#include "driver_world.hpp"

using namespace nimbus;
using namespace nimbus::ipmi;
using namespace nimbus::ipmi::test;

namespace {

std::uint8_t balance(const Data& data) {
  return static_cast<std::uint8_t>(-std::accumulate(data.begin(), data.end(), 0U));
}

/// Header and data, as section 16 wants them.
Data record(std::uint8_t type, const Data& data, bool is_last = false) {
  Data out = {type, static_cast<std::uint8_t>(is_last ? 0x82 : 0x02), static_cast<std::uint8_t>(data.size()),
              balance(data)};
  out.push_back(balance(out));
  out.insert(out.end(), data.begin(), data.end());
  return out;
}

FruRecord parse(const Data& whole) {
  const auto header = parse_fru_record_header(whole);
  REQUIRE(header);
  auto parsed = parse_fru_record(*header, Bytes(whole).subspan(kFruRecordHeaderBytes));
  REQUIRE(parsed);
  return std::move(*parsed);
}

Data text(std::uint8_t kind, std::string_view value) {
  Data out = {kind};
  out.insert(out.end(), value.begin(), value.end());
  return out;
}

// What FreeIPMI's ipmi-fru prints for these bytes: 550 W, 600 VA, 90 to 140 V and 180 to 264 V at 47
// to 63 Hz, all features, 600 W for 5 s. (tests/peers/ipmi/oracles_test.cpp asks it.)
const Data kSupply = {0x26, 0x02, 0x58, 0x02, 30, 5,    0x28, 0x23, 0xB0, 0x36, 0x50, 0x46,
                      0x20, 0x67, 47,   63,   20, 0x1F, 0x58, 0x52, 0x12, 0xF4, 0x01, 30};
const Data kStandby = {0x82, 0xF4, 0x01, 0xDB, 0x01, 0x0D, 0x02, 50, 0, 0, 0, 0xB8, 0x0B};
const Data kMinus12 = {0x03, 0x50, 0xFB, 0x8C, 0xFB, 0x14, 0xFB, 120, 0, 100, 0, 0xE8, 0x03};

}  // namespace

TEST_CASE("FRU records: header") {
  const auto good = record(0xC1, {1, 2, 3}, true);
  const auto header = parse_fru_record_header(good);
  REQUIRE(header);
  CHECK(header->type == 0xC1);
  CHECK(header->is_last);
  CHECK(header->length == 3);
  CHECK_FALSE(parse_fru_record_header(record(0xC1, {})).value().is_last);
  for (std::size_t i = 0; i < kFruRecordHeaderBytes; ++i) {
    auto bad = good;
    bad[i] ^= 0x01;
    CHECK(parse_fru_record_header(bad).error().code == Code::Corrupt);
    CHECK(parse_fru_record_header(Bytes(good).first(i)).error().code == Code::Corrupt);
  }
  Data version = {0xC1, 0x01, 0, 0};  // a good sum, and a version that is not known
  version.push_back(balance(version));
  CHECK(parse_fru_record_header(version).error().code == Code::Corrupt);
}

TEST_CASE("FRU records: a power supply and its outputs") {
  const auto supply = parse(record(0, kSupply));
  REQUIRE(std::holds_alternative<PowerSupplyRecord>(supply));
  CHECK(std::get<PowerSupplyRecord>(supply) == PowerSupplyRecord{.capacity_watts = 550,
                                                                 .peak_va = 600,
                                                                 .lowest_input_mv = 90'000,
                                                                 .highest_input_mv = 140'000,
                                                                 .lowest_input2_mv = 180'000,
                                                                 .highest_input2_mv = 264'000,
                                                                 .lowest_hertz = 47,
                                                                 .highest_hertz = 63,
                                                                 .peak_watts = 600,
                                                                 .hold_up_seconds = 5,
                                                                 .predicts_failure = true,
                                                                 .corrects_power_factor = true,
                                                                 .switches_range = true,
                                                                 .is_hot_swappable = true});
  CHECK(name_of(supply) == "power supply");
  auto unspecified = kSupply;
  unspecified[2] = unspecified[3] = 0xFF;
  CHECK_FALSE(std::get<PowerSupplyRecord>(parse(record(0, unspecified))).peak_va);

  const auto standby = parse(record(1, kStandby));
  REQUIRE(std::holds_alternative<DcRecord>(standby));
  CHECK(std::get<DcRecord>(standby) == DcRecord{.side = DcRecord::Side::Output,
                                                .number = 2,
                                                .is_standby = true,
                                                .nominal_mv = 5000,
                                                .lowest_mv = 4750,
                                                .highest_mv = 5250,
                                                .ripple_mv = 50,
                                                .least_ma = 0,
                                                .most_ma = 3000});
  CHECK(name_of(standby) == "DC output 2");
  CHECK(std::get<DcRecord>(parse(record(1, kMinus12))).nominal_mv == -12'000);
  const auto load = parse(record(2, kStandby));
  CHECK(name_of(load) == "DC load 2");
  CHECK_FALSE(std::get<DcRecord>(load).is_standby);  // a load has no such bit
}

TEST_CASE("FRU records: management, unknown, and too short for its type") {
  const auto name = parse(record(3, text(2, "rack7-m17\x1b[2J ")));
  CHECK(std::get<ManagementRecord>(name).text == "rack7-m17\\x1b[2J");
  CHECK(name_of(name) == "system name");
  CHECK(std::get<ManagementRecord>(parse(record(3, {7, 0x01, 0xAB}))).text == "01ab");
  CHECK(name_of(parse(record(3, text(0x42, "x")))) == "management record 0x42");
  CHECK(parse(record(0xD2, {1, 2})) == FruRecord(RawFruRecord{.type = 0xD2, .data = {1, 2}}));
  CHECK(name_of(parse(record(0xD2, {}))) == "maker's own (0xD2)");
  CHECK(name_of(parse(record(4, {1}))) == "base compatibility");
  CHECK(name_of(parse(record(0x7F, {1}))) == "record 0x7F");
  for (const auto type : std::initializer_list<std::uint8_t>{0, 1, 2}) {
    const auto cut = record(type, Data(kStandby.begin(), kStandby.end() - 1));
    CHECK(std::get<RawFruRecord>(parse(cut)).data.size() == kStandby.size() - 1);
  }
  CHECK(std::holds_alternative<RawFruRecord>(parse(record(3, {}))));
  auto wrong = record(3, text(2, "name"));
  wrong.back() ^= 1;
  const auto header = parse_fru_record_header(wrong).value();
  CHECK(parse_fru_record(header, Bytes(wrong).subspan(kFruRecordHeaderBytes)).error().code == Code::Corrupt);
  CHECK(parse_fru_record(header, Bytes(wrong).subspan(kFruRecordHeaderBytes + 1)).error().code == Code::Corrupt);
}

namespace {

/// A BMC whose only inventory (of the machine) has these records, and nothing else.
void give_records(FakeBmcServer& server, const Data& records) {
  Data image = {1, 0, 0, 0, 0, 1, 0};
  image.push_back(balance(image));
  image.insert(image.end(), records.begin(), records.end());
  server.with([&](FakeBmc& fake) {
    fake.on(0x0A, 0x10, [image](const Data&) { return Data{0x00, static_cast<std::uint8_t>(image.size()), 0, 0}; });
    fake.on(0x0A, 0x11, [image](const Data& request) {
      const std::size_t offset = request[7];
      Data answer = {0x00, request[9]};
      for (std::size_t i = offset; i < offset + request[9]; ++i) answer.push_back(image.at(i));
      return answer;
    });
  });
}

std::vector<ManagementNote> notes_of(const Data& records) {
  FakeBmcServer server({});
  give_records(server, records);
  World world;
  const auto inventory = world.attach(server)->inventory()->inventory(within(5s));
  REQUIRE_MESSAGE(inventory, (inventory ? "" : inventory.error().text()));
  return inventory->management;
}

Data operator+(Data a, const Data& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace

TEST_CASE("FRU records: read one after the other, and ended by whatever makes no sense") {
  const auto one = record(3, text(2, "m1"));
  const auto last = record(3, text(1, "https://m1.example"), true);
  const ManagementNote name{"system name", "m1"};
  const ManagementNote url{"system management URL", "https://m1.example"};
  CHECK(notes_of(one + record(0xC0, {1, 2, 3}) + last) == std::vector{name, url});
  CHECK(notes_of(last + one) == std::vector{url});  // what stands behind the last one is none
  auto damaged = one;
  damaged.back() ^= 1;
  CHECK(notes_of(damaged + last) == std::vector{url});  // its header was good: the next one is found
  auto lost = one;
  lost[4] ^= 1;
  CHECK(notes_of(lost + last).empty());
  CHECK(notes_of(one + Data{3, 2, 200, 0, 51}) == std::vector{name});  // runs over the end
  CHECK(notes_of(one) == std::vector{name});                           // no last one
  Data many;
  for (int i = 0; i < 15; ++i) many = many + record(0xC0, {});
  CHECK(notes_of(many + last) == std::vector{url});
}
