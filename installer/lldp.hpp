// LLDP: what a switch says of itself on a port (IEEE 802.1AB-2016, clauses 8 and 9).
//
// Frames come from whoever is on the wire: bounded, and whatever is not as the standard
// asks is nothing. Nimbus listens and never sends. Thread rule: pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace nimbus::installer {

/// Texts are printable and short.
struct LldpFrame {
  std::string chassis;  // a MAC address, or what the sender calls itself
  std::string port;     // "Ethernet17"
  std::string system;   // its name; empty: not told
  friend bool operator==(const LldpFrame&, const LldpFrame&) = default;
};

/// From an Ethernet frame. Nothing: no LLDP, malformed, or the sender says good-bye (TTL 0).
std::optional<LldpFrame> parse_lldp(std::span<const std::uint8_t> frame);

}  // namespace nimbus::installer
