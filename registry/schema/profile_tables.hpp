// What the two files of profile rows share. Internal to registry/schema.
#pragma once

#include "registry/schema/field.hpp"

namespace nimbus::registry::tables {

extern const TableSpec kTime, kCaCertificate, kService, kTimer, kMount, kSwap, kHost, kFirewall, kInterface, kCommand;
// What they are for: a constant of its own, since another file's table is none.
inline constexpr std::string_view kTimeDoc = "Where the time comes from.";
inline constexpr std::string_view kCaCertificateDoc = "A certificate authority that the host trusts.";
inline constexpr std::string_view kServiceDoc = "A service on the host.";
inline constexpr std::string_view kTimerDoc = "A command that runs at times.";
inline constexpr std::string_view kMountDoc = "A mount on the host.";
inline constexpr std::string_view kSwapDoc = "Swap space in a file.";
inline constexpr std::string_view kHostDoc = "A line of /etc/hosts.";
inline constexpr std::string_view kFirewallDoc =
    "A connection that is let in; with one rule, all others are shut out but SSH.";
inline constexpr std::string_view kInterfaceDoc = "A network interface.";
inline constexpr std::string_view kCommandDoc = "A command that runs once.";

/// The row of tables that may be absent, with another meaning of absent.
template <auto Member>
constexpr Field word_state(std::string_view doc) {
  return field<Member>("state", doc, {.fallback = R"("present")", .example = R"("absent")"});
}
template <auto Member>
constexpr Field state() {
  return word_state<Member>("absent: removed.");
}

}  // namespace nimbus::registry::tables
