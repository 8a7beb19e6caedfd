#include "drivers/ipmi/boot.hpp"

#include <doctest/doctest.h>

using namespace nimbus;
using namespace nimbus::ipmi;

namespace {

BootFlags flags(BootDevice device, std::optional<BootMode> mode, BootTimes times, const Quirks& quirks = {}) {
  return encode_boot_flags({.device = device, .times = times, .mode = mode, .http_uri = {}}, quirks).value();
}

}  // namespace

TEST_CASE("boot flags: the bytes that firmware expects") {
  using enum BootDevice;
  CHECK(flags(Pxe, BootMode::Uefi, BootTimes::Once) == BootFlags{0xA0, 0x04, 0, 0, 0});
  CHECK(flags(Pxe, std::nullopt, BootTimes::Once) == BootFlags{0xA0, 0x04, 0, 0, 0});
  CHECK(flags(Disk, BootMode::Uefi, BootTimes::Always) == BootFlags{0xE0, 0x08, 0, 0, 0});
  CHECK(flags(Cd, BootMode::Bios, BootTimes::Once) == BootFlags{0x80, 0x14, 0, 0, 0});
  CHECK(flags(Setup, BootMode::Uefi, BootTimes::Once) == BootFlags{0xA0, 0x18, 0, 0, 0});
  CHECK(flags(Default, BootMode::Uefi, BootTimes::Always) == BootFlags{0x80, 0, 0, 0, 0});
  const auto quirks = make_quirks({"IP-10"}).value();
  CHECK(flags(Disk, BootMode::Uefi, BootTimes::Once, quirks) == BootFlags{0xA0, 0x24, 0, 0, 0});
  CHECK(flags(Disk, BootMode::Bios, BootTimes::Once, quirks) == BootFlags{0x80, 0x08, 0, 0, 0});
  CHECK(encode_boot_flags({.device = Http, .mode = {}, .http_uri = {}}, {}).error().code == Code::Unsupported);
}

TEST_CASE("boot flags: what is read back") {
  for (const auto device : {BootDevice::Pxe, BootDevice::Disk, BootDevice::Cd, BootDevice::Setup}) {
    for (const auto mode : {BootMode::Bios, BootMode::Uefi}) {
      for (const auto times : {BootTimes::Once, BootTimes::Always}) {
        for (const auto& ids : {std::vector<std::string>{}, std::vector<std::string>{"IP-10"}}) {
          const BootOverride wanted{.device = device, .times = times, .mode = mode, .http_uri = {}};
          const auto quirks = make_quirks(ids).value();
          CHECK(decode_boot_flags(encode_boot_flags(wanted, quirks).value(), quirks).value() == wanted);
        }
      }
    }
  }
  CHECK(decode_boot_flags({0x20, 0x04, 0, 0, 0}, {}).value() == BootOverride{});  // not valid: used up or expired
  const auto shows_no_valid = make_quirks({"bootflagsvalid"}).value();
  CHECK(decode_boot_flags({0x00, 0x04, 0, 0, 0}, shows_no_valid).value().device == BootDevice::Pxe);
  CHECK(decode_boot_flags({0x00, 0x00, 0, 0, 0}, shows_no_valid).value() == BootOverride{});
  CHECK(decode_boot_flags({0xE0, 0x00, 0, 0, 0}, {}).value() == BootOverride{});
  CHECK(decode_boot_flags({0x80, 0x84, 0, 0, 0}, {}).value().device == BootDevice::Pxe);  // clear CMOS is not ours
  CHECK(decode_boot_flags({0x80, 0x3C, 0, 0, 0}, {}).error().code == Code::Unsupported);  // floppy
  CHECK(decode_boot_flags({0xA0, 0x24, 0, 0, 0}, {}).error().code == Code::Unsupported);  // remote USB, elsewhere
}

TEST_CASE("boot flags: answers") {
  const std::vector<std::uint8_t> good = {1, 5, 0xA0, 4, 0, 0, 0};
  CHECK(parse_boot_flags(good).value() == BootFlags{0xA0, 4, 0, 0, 0});
  for (std::size_t size = 0; size < good.size(); ++size) CHECK(!parse_boot_flags(Bytes(good).first(size)));
  CHECK(parse_boot_flags(std::vector<std::uint8_t>{1, 4, 0xA0, 4, 0, 0, 0}).error().code == Code::Corrupt);
}
