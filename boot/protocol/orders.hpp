// What nimbus-boot is to serve, sent by nimbusd: the whole of it at first, then what
// changed. Every update has a mark, and a change counts only on top of the mark that it
// was made for; else the whole comes again. And what nimbus-boot has heard, as nimbusd
// asks for it. Both level-triggered: no message can be lost for good.
//
// Thread rule: plain values and pure functions. Errors: Invalid.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "boot/protocol/report.hpp"
#include "core/desired/machine.hpp"
#include "core/desired/network.hpp"
#include "core/result.hpp"

namespace nimbus::boot {

/// Of one message. What is more goes in parts: a plan has up to half a MiB of user data.
inline constexpr std::size_t kMostOrderBytes = std::size_t{8} << 20U;

/// The run that a machine may boot into, once.
struct RunOrder {
  std::string run, nonce;
  std::string plan;        // sealed
  std::string key;         // hex of the public key that the plan is sealed with
  std::string image = {};  // that the cache keeps for it, by digest; empty: none
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

/// Which orders somebody has: of which sender, and how many updates after its first.
struct OrderMark {
  std::string epoch;  // made anew whenever the whole is sent; empty: nobody's
  std::int64_t number = 0;
  friend bool operator==(const OrderMark&, const OrderMark&) = default;
};

/// The whole of the orders, or what makes those of the mark before into those of `mark`.
struct OrdersUpdate {
  OrderMark mark;
  Orders orders;                     // of a change: the facts of the network, and machines that are new or other
  std::vector<std::string> removed;  // MACs; of a change only
  std::int64_t part = 0;             // of the parts with this mark, from 0
  bool more = false;                 // another part follows; nothing counts before the last
  friend bool operator==(const OrdersUpdate&, const OrdersUpdate&) = default;
};

/// What leads from `before` to `after`, without a mark. Order among machines means nothing.
OrdersUpdate changes_between(const Orders& before, const Orders& after);

/// The same as parts that are within kMostOrderBytes each.
std::vector<OrdersUpdate> parts_of(OrdersUpdate update);

/// Puts parts together again. One that is not the next of what came before is an error:
/// Conflict; then the whole is needed.
class OrderParts {
 public:
  /// Nothing: more parts are needed.
  Result<std::optional<OrdersUpdate>> take(OrdersUpdate part);

 private:
  std::optional<OrdersUpdate> begun_;
};

std::string to_json(const OrdersUpdate& update);
Result<OrdersUpdate> parse_orders_update(std::string_view json);
/// Of one machine, to be kept.
std::string to_json(const MachineOrder& order);
Result<MachineOrder> parse_machine_order(std::string_view json);

/// What was heard of one machine's run.
struct Heard {
  std::string run, nonce;
  bool script_served = false;  // the machine asked for its boot script
  bool plan_taken = false;     // the token is used up: the next boot is from disk
  bool restarted = false;      // … and it asked for its script again before the installer's last word
  /// Since the installer was heard last, or nimbus-boot began; only of a plan that was taken.
  std::optional<std::chrono::seconds> silent = {};
  std::optional<Report> last;  // with the inventory of the check-in
  friend bool operator==(const Heard&, const Heard&) = default;
};

std::string to_json(const Heard& heard);
Result<Heard> parse_heard(std::string_view json);

}  // namespace nimbus::boot
