// What nimbus-boot is to serve: the whole of it, sent by nimbusd whenever it changes
// and again after either restarts. And what nimbus-boot has heard, as nimbusd asks for
// it. Both level-triggered: no message can be lost for good.
//
// Thread rule: plain values and pure functions. Errors: Invalid.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "boot/protocol/report.hpp"
#include "core/desired/machine.hpp"
#include "core/desired/network.hpp"
#include "core/result.hpp"

namespace nimbus::boot {

inline constexpr std::size_t kMostOrderBytes = std::size_t{8} << 20U;

/// The run that a machine may boot into, once.
struct RunOrder {
  std::string run, nonce;
  std::string plan;  // sealed
  std::string key;   // hex of the public key that the plan is sealed with
  friend bool operator==(const RunOrder&, const RunOrder&) = default;
};

struct MachineOrder {
  std::string mac;      // "52:54:00:12:34:17"
  std::string name;     // host name for DHCP
  std::string address;  // fixed for this machine
  Handover handover = Handover::Exit;
  std::optional<RunOrder> run;  // nothing: the machine boots its disk
  friend bool operator==(const MachineOrder&, const MachineOrder&) = default;
};

struct Orders {
  DhcpService dhcp = DhcpService::None;
  std::string cidr, gateway;
  std::vector<std::string> dns;
  std::vector<MachineOrder> machines;
  friend bool operator==(const Orders&, const Orders&) = default;
};

std::string to_json(const Orders& orders);
Result<Orders> parse_orders(std::string_view json);

/// What was heard of one machine's run.
struct Heard {
  std::string run, nonce;
  bool script_served = false;  // the machine asked for its boot script
  bool plan_taken = false;     // the token is used up: the next boot is from disk
  std::optional<Report> last;  // with the inventory of the check-in
  friend bool operator==(const Heard&, const Heard&) = default;
};
using HeardByMac = std::map<std::string, Heard>;

std::string to_json(const HeardByMac& heard);
Result<HeardByMac> parse_heard(std::string_view json);

}  // namespace nimbus::boot
