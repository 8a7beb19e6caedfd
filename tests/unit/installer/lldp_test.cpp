// Frames as switches send them, and as somebody would who wants to break in.
#include "installer/lldp.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

using namespace nimbus::installer;

namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes tlv(unsigned kind, const std::string& value) {
  Bytes out{static_cast<std::uint8_t>(kind << 1U | value.size() >> 8U), static_cast<std::uint8_t>(value.size())};
  out.insert(out.end(), value.begin(), value.end());
  return out;
}

Bytes frame(const std::vector<Bytes>& tlvs, bool tagged = false) {
  Bytes out{0x01, 0x80, 0xC2, 0x00, 0x00, 0x0E, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01};
  if (tagged) out.insert(out.end(), {0x81, 0x00, 0x00, 0x05});
  out.insert(out.end(), {0x88, 0xCC});
  for (const auto& one : tlvs) out.insert(out.end(), one.begin(), one.end());
  return out;
}

const std::string kMac("\x04\x00\x1c\x73\x0a\x0b\x0c", 7);  // chassis: MAC address
const std::string kTtl("\x00\x78", 2);

/// Ethernet17 of leaf-b2.
std::vector<Bytes> said() {
  return {tlv(1, kMac),
          tlv(2,
              "\x05"
              "Ethernet17"),
          tlv(3, kTtl),
          tlv(4, "to v1"),
          tlv(5, "leaf-b2"),
          tlv(6, "A switch"),
          tlv(127, std::string("\x00\x12\x0f\x01\x03", 5)),
          Bytes{0, 0}};
}

}  // namespace

TEST_CASE("a switch's port, through a tag too; padding behind the end counts for nothing") {
  const LldpFrame expected{.chassis = "00:1c:73:0a:0b:0c", .port = "Ethernet17", .system = "leaf-b2"};
  CHECK(parse_lldp(frame(said())) == expected);
  CHECK(parse_lldp(frame(said(), true)) == expected);
  auto padded = frame(said());
  padded.resize(padded.size() + 40, 0xFF);
  CHECK(parse_lldp(padded) == expected);
  auto open_end = said();
  open_end.pop_back();
  CHECK(parse_lldp(frame(open_end)) == expected);
}

TEST_CASE("identifiers of every kind end as short printable text") {
  auto tlvs = said();
  tlvs[0] = tlv(1,
                "\x07"
                "rack b2");                                          // locally assigned
  tlvs[1] = tlv(2, std::string("\x03\x02\x00\x00\x00\x00\x2a", 7));  // a MAC address
  tlvs[4] = tlv(5, "evil\x1b[2J\n" + std::string(400, 'x'));
  const auto seen = parse_lldp(frame(tlvs));
  REQUIRE(seen);
  CHECK(seen->chassis == "rack b2");
  CHECK(seen->port == "02:00:00:00:00:2a");
  CHECK(seen->system.find('\x1b') == std::string::npos);
  CHECK(seen->system.size() < 200);
  tlvs[0] = tlv(1, std::string("\x05\x01\x0a\x00\x00\x01", 6));  // an IPv4 address
  CHECK(parse_lldp(frame(tlvs))->chassis == "01:0a:00:00:01");
}

TEST_CASE("what the standard does not allow is nothing") {
  const auto without = [](std::size_t at) {
    auto tlvs = said();
    tlvs.erase(tlvs.begin() + static_cast<std::ptrdiff_t>(at));
    return frame(tlvs);
  };
  for (std::size_t i = 0; i < 3; ++i) CHECK_FALSE(parse_lldp(without(i)));
  auto tlvs = said();
  SUBCASE("another order") { std::swap(tlvs[0], tlvs[1]); }
  SUBCASE("a second chassis") { tlvs.insert(tlvs.begin() + 4, tlvs[0]); }
  SUBCASE("good-bye") { tlvs[2] = tlv(3, std::string(2, '\0')); }
  SUBCASE("half a time to live") { tlvs[2] = tlv(3, "x"); }
  SUBCASE("a chassis without an id") { tlvs[0] = tlv(1, "\x04"); }
  SUBCASE("a MAC address of five bytes") {
    tlvs[0] = tlv(1,
                  "\x04"
                  "12345");
  }
  SUBCASE("a port of 300 bytes") { tlvs[1] = tlv(2, std::string(300, '\x05')); }
  SUBCASE("longer than the frame") { tlvs[5] = Bytes{0x0D, 0xFF, 'x'}; }
  CHECK_FALSE(parse_lldp(frame(tlvs)));
}

TEST_CASE("other frames, and none") {
  CHECK_FALSE(parse_lldp(Bytes{}));
  auto other = frame(said());
  other[12] = 0x08;  // IPv4
  other[13] = 0x00;
  CHECK_FALSE(parse_lldp(other));
  auto twice = frame(said(), true);
  twice.insert(twice.begin() + 12, {0x81, 0x00, 0x00, 0x05});
  CHECK_FALSE(parse_lldp(twice));
  CHECK_FALSE(parse_lldp(Bytes(10'000, 0x88)));
}

TEST_CASE("whatever is cut off or changed, what comes out is printable and short") {
  std::mt19937 random(7);
  const auto whole = frame(said());
  int understood = 0;
  for (int i = 0; i < 20'000; ++i) {
    auto bytes = whole;
    for (unsigned flips = random() % 4; flips > 0; --flips) {
      bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
    }
    bytes.resize(random() % (bytes.size() + 1));
    const auto seen = parse_lldp(std::vector<std::uint8_t>(bytes));  // of its own size: reading beyond it shows
    if (!seen) continue;
    ++understood;
    for (const auto* text : {&seen->chassis, &seen->port, &seen->system}) {
      CHECK(text->size() < 300);
      for (const char c : *text) CHECK((c >= ' ' && c != 0x7F));
    }
  }
  CHECK(understood > 100);
}
