#include "installer/lldp.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/text/text.hpp"

namespace nimbus::installer {
namespace {

using Bytes = std::span<const std::uint8_t>;
constexpr std::size_t kAddresses = 12;  // destination and source
constexpr std::size_t kMostText = 128;
enum Kind : unsigned { kEnd = 0, kChassis = 1, kPort = 2, kTimeToLive = 3, kSystemName = 5 };
constexpr unsigned kMandatory = 3;  // chassis, port and time to live, in this order

std::string text_of(Bytes bytes) {
  return base::printable({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, kMostText);
}

std::string mac_of(Bytes bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const auto byte : bytes) {
    if (!out.empty()) out += ':';
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
  }
  return out;
}

/// Of a chassis (`mac` 4) or a port (3): a kind, and 1 to 255 bytes. Addresses of networks
/// and what has no printable form are shown as numbers.
std::string id_of(Bytes value, unsigned mac_kind) {
  constexpr std::size_t kMost = 256;
  constexpr std::size_t kMacBytes = 6;
  if (value.size() < 2 || value.size() > kMost) return {};
  const Bytes id = value.subspan(1);
  if (value[0] == mac_kind) return id.size() == kMacBytes ? mac_of(id) : std::string();
  const bool plain = std::all_of(id.begin(), id.end(), [](auto byte) { return byte >= 0x20 && byte < 0x7F; });
  return plain ? text_of(id) : mac_of(id.first(std::min<std::size_t>(id.size(), 32)));
}

/// The LLDPDU of an Ethernet frame, through one VLAN tag; empty: it has none.
Bytes payload_of(Bytes frame) {
  constexpr unsigned kLldp = 0x88CC, kTagged = 0x8100;
  constexpr std::size_t kMostFrame = 9216;
  std::size_t at = kAddresses;
  for (int tags = 0; tags < 2; ++tags) {
    if (frame.size() < at + 2 || frame.size() > kMostFrame) return {};
    const unsigned type = static_cast<unsigned>(frame[at]) << 8U | frame[at + 1];
    if (type == kLldp) return frame.subspan(at + 2);
    if (type != kTagged) return {};
    at += 4;
  }
  return {};
}

}  // namespace

std::optional<LldpFrame> parse_lldp(Bytes frame) {
  Bytes rest = payload_of(frame);
  LldpFrame out;
  unsigned number = 0;
  bool alive = false;
  while (rest.size() >= 2) {
    const unsigned kind = rest[0] >> 1U;
    const std::size_t size = (rest[0] & 1U) << 8U | rest[1];
    if (kind == kEnd) break;
    if (rest.size() < 2 + size) return std::nullopt;
    const Bytes value = rest.subspan(2, size);
    rest = rest.subspan(2 + size);
    ++number;
    // Each of the first three once, at its place, and nowhere else.
    if ((kind <= kMandatory) != (number <= kMandatory) || (number <= kMandatory && kind != number)) return std::nullopt;
    if (kind == kChassis) out.chassis = id_of(value, 4);
    if (kind == kPort) out.port = id_of(value, 3);
    if (kind == kTimeToLive) alive = size >= 2 && (value[0] | value[1]) != 0;
    if (kind == kSystemName && out.system.empty()) out.system = text_of(value);
  }
  if (number < kMandatory || !alive || out.chassis.empty() || out.port.empty()) return std::nullopt;
  return out;
}

}  // namespace nimbus::installer
