#include <numeric>

#include <doctest/doctest.h>

#include "drivers/ipmi/client.hpp"
#include "drivers/ipmi/device.hpp"
#include "drivers/ipmi/fru.hpp"
#include "drivers/ipmi/guid.hpp"

using namespace nimbus;
using namespace nimbus::ipmi;

namespace {

using Data = std::vector<std::uint8_t>;

/// Fixed bytes, then fields (type and length byte included), end mark, padding, sum.
Data area(Data fixed, const std::vector<Data>& fields) {
  Data out = {1, 0};
  out.insert(out.end(), fixed.begin(), fixed.end());
  for (const auto& field : fields) out.insert(out.end(), field.begin(), field.end());
  out.push_back(0xC1);
  while ((out.size() + 1) % 8 != 0) out.push_back(0);
  out[1] = static_cast<std::uint8_t>((out.size() + 1) / 8);
  out.push_back(static_cast<std::uint8_t>(-std::accumulate(out.begin(), out.end(), 0U)));
  return out;
}

Data text(std::string_view value) {
  Data out = {static_cast<std::uint8_t>(0xC0 | value.size())};
  out.insert(out.end(), value.begin(), value.end());
  return out;
}

}  // namespace

TEST_CASE("FRU: header") {
  const Data good = {1, 0, 1, 4, 12, 0, 0, 0xEE};
  const auto header = parse_fru_header(good);
  REQUIRE(header);
  CHECK(header->chassis == 8);
  CHECK(header->board == 32);
  CHECK(header->product == 96);
  for (std::size_t i = 0; i < good.size(); ++i) {
    auto bad = good;
    bad[i] ^= 0x01;
    CHECK(!parse_fru_header(bad));
    CHECK(!parse_fru_header(Bytes(good).first(i)));
  }
}

TEST_CASE("FRU: areas") {
  const auto product =
      area({0}, {text("Maker"), text("Server"), text("P-1"), text("v2"), text(" SN 42  "), text("tag")});
  const auto fields = parse_fru_area(FruArea::Product, product);
  REQUIRE(fields);
  CHECK(fields->manufacturer == "Maker");
  CHECK(fields->name == "Server");
  CHECK(fields->part_number == "P-1");
  CHECK(fields->version == "v2");
  CHECK(fields->serial == "SN 42");
  const auto chassis = parse_fru_area(FruArea::Chassis, area({23}, {text("CP"), text("CS")})).value();
  CHECK(chassis.part_number == "CP");
  CHECK(chassis.serial == "CS");
  const auto board =
      parse_fru_area(FruArea::Board, area({0, 1, 2, 3}, {text("M1"), text("N1"), text("S1"), text("P1")})).value();
  CHECK(board.serial == "S1");
  CHECK(board.part_number == "P1");
}

TEST_CASE("FRU: encodings and foreign bytes") {
  // BCD plus "12-3.", 6-bit ASCII "IPMI" (bytes of the specification's example), binary, control characters.
  const auto fields = parse_fru_area(
      FruArea::Product,
      area({0}, {{0x43, 0x12, 0xB3, 0xC0}, {0x83, 0x29, 0xDC, 0xA6}, {0x02, 0xAB, 0x01}, text("a\nb"), text("\xFF!")}));
  REQUIRE(fields);
  CHECK(fields->manufacturer == "12-3.0");
  CHECK(fields->name == "IPMI");
  CHECK(fields->part_number == "ab01");
  CHECK(fields->version == "a\\nb");
  CHECK(fields->serial == "\\xff!");
}

TEST_CASE("FRU: areas that are damaged") {
  const auto good = area({23}, {text("CP"), text("CS")});
  for (std::size_t i = 0; i < good.size(); ++i) {
    auto bad = good;
    bad[i] = static_cast<std::uint8_t>(bad[i] + 1);
    CHECK(!parse_fru_area(FruArea::Chassis, bad));
    CHECK(!parse_fru_area(FruArea::Chassis, Bytes(good).first(i)));
  }
  // A field that claims more than the area has, with a correct sum.
  Data overrun = {1, 1, 23, 0xFF, 'A', 'B', 'C', 0};
  overrun[7] = static_cast<std::uint8_t>(-std::accumulate(overrun.begin(), overrun.end(), 0U));
  CHECK(parse_fru_area(FruArea::Chassis, overrun).error().code == Code::Corrupt);
}

TEST_CASE("the machine's serial is the product's, else the chassis's, never the board's") {
  Fru fru;
  CHECK(machine_serial(fru).empty());
  fru.board = FruFields{.serial = "B1"};
  CHECK(machine_serial(fru).empty());
  fru.chassis = FruFields{.serial = "C1"};
  CHECK(machine_serial(fru) == "C1");
  fru.product = FruFields{.serial = "0123456789"};  // a placeholder
  CHECK(machine_serial(fru) == "C1");
  fru.product->serial = "P1";
  CHECK(machine_serial(fru) == "P1");
}

TEST_CASE("GUID: the SMBIOS UUID only where the order of bytes is beyond doubt") {
  // 12345678-9abc-4def-8123-456789abcdef in the three orders.
  const Guid rfc = {0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0x4d, 0xef, 0x81, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
  const std::string uuid = "12345678-9abc-4def-8123-456789abcdef";
  CHECK(describe_guid(rfc).wire == uuid);
  CHECK(describe_guid(rfc).uuid == uuid);
  const Guid smbios = {0x78, 0x56, 0x34, 0x12, 0xbc, 0x9a, 0xef, 0x4d, 0x81, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
  CHECK(describe_guid(smbios).wire == "78563412-bc9a-ef4d-8123-456789abcdef");
  CHECK(describe_guid(smbios).uuid == uuid);
  Guid reversed = rfc;
  std::reverse(reversed.begin(), reversed.end());
  CHECK(describe_guid(reversed).uuid == uuid);
  // Both nibbles look like a version: nobody can tell.
  Guid both = rfc;
  both[7] = 0x1f;
  CHECK(describe_guid(both).uuid.empty());
  CHECK(describe_guid(Guid{}).uuid.empty());
}

TEST_CASE("power from Get Chassis Status") {
  CHECK(parse_chassis_status(Data{0x61, 0x00, 0x70}).value() == PowerState::On);
  CHECK(parse_chassis_status(Data{0x60, 0x00, 0x70}).value() == PowerState::Off);
  CHECK(parse_chassis_status(Data{}).error().code == Code::Corrupt);
  CHECK(chassis_control_request(PowerAction::On).data == Data{0x01});
  CHECK(chassis_control_request(PowerAction::HardOff).data == Data{0x00});
  CHECK(chassis_control_request(PowerAction::SoftOff).data == Data{0x05});
  CHECK(chassis_control_request(PowerAction::Reset).data == Data{0x03});
  CHECK(repeat_of(PowerAction::Reset) == Repeat::Never);
  CHECK(repeat_of(PowerAction::SoftOff) == Repeat::Never);
  CHECK(repeat_of(PowerAction::On) == Repeat::WhileUnanswered);
}

TEST_CASE("endpoints that this driver cannot use") {
  const BmcEndpoint good{.driver = "ipmi", .address = "192.0.2.7", .credentials = {"bmc/a"}};
  const auto target = make_target(good);
  REQUIRE(target);
  CHECK(target->address == base::HostPort{"192.0.2.7", 623});
  CHECK(target->suite == CipherSuite::Suite17);
  const auto refused = [&](auto change) {
    auto endpoint = good;
    change(endpoint);
    const auto result = make_target(endpoint);
    return !result && result.error().code == Code::Invalid;
  };
  CHECK(refused([](auto& e) { e.address = "https://192.0.2.7"; }));
  CHECK(refused([](auto& e) { e.address = ""; }));
  for (const int suite : {-1, 0, 1, 2, 6, 15, 18}) CHECK(refused([&](auto& e) { e.cipher_suite = suite; }));
  CHECK(refused([](auto& e) { e.credentials.clear(); }));
  CHECK(refused([](auto& e) { e.quirks = {"no-such-quirk"}; }));
}
