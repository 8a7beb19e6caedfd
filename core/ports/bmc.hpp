// The BMC port: what the program wants from a baseboard management controller,
// whatever protocol it speaks. Drivers (drivers/redfish, drivers/ipmi) implement
// it; reconcilers and the controller use it.
//
// Thread rule: one operation at a time per Bmc, from any thread; the caller
// serialises. Different Bmc objects may be used at the same time; those for the same
// BMC (several machines behind it) share its session and wait for each other.
//
// Errors common to all operations: Unreachable, Timeout, Cancelled, Auth,
// Untrusted, Unsupported, RateLimited, Busy, Corrupt, Internal. After an error of
// a write that is not one of Auth, Untrusted, Unsupported, Invalid, Conflict or
// Unreachable the effect is unknown: read before writing again.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/boot.hpp"
#include "core/call.hpp"
#include "core/endpoint.hpp"
#include "core/identity.hpp"
#include "core/ports/secrets.hpp"
#include "core/power.hpp"
#include "core/result.hpp"

namespace nimbus {

class BmcPower {
 public:
  virtual ~BmcPower() = default;
  virtual Result<PowerState> power(const Call& call) = 0;
  /// Sends the action once; never repeats one whose outcome is unknown. Does not
  /// wait for the state to change.
  ///
  /// Writes only on the present session, the one whose identity the caller has
  /// checked: if there is none, or it turns out to be lost, nothing is sent and the
  /// error is Conflict; the caller reads the identity again. (Behind a new session
  /// there may be another machine.)
  virtual Result<WriteOutcome> act(PowerAction action, const Call& call) = 0;
};

class BmcIdentity {
 public:
  virtual ~BmcIdentity() = default;
  /// What the machine says of itself, read now, on the present session. Fields
  /// that this BMC cannot tell stay empty.
  virtual Result<Identity> identity(const Call& call) = 0;
  /// A number that changes whenever the driver had to connect anew: what was read
  /// before under another number says nothing about the machine now behind the
  /// address.
  virtual unsigned long session() const noexcept = 0;
};

class BmcBoot {
 public:
  virtual ~BmcBoot() = default;
  /// What is armed now, as the BMC shows it. A device that we have no word for is
  /// Unsupported.
  virtual Result<BootOverride> boot_override(const Call& call) = 0;
  /// Arms `wanted` and reads back. Accepted: the BMC shows that device as armed; how
  /// often and in which mode some BMCs show wrongly even then, and an override that a
  /// boot has used up reads as Default: this is an edge, not a level, so it is not
  /// compared later. Unsupported: the BMC does not offer it, or took it and does not
  /// show it. Repeating is harmless. Writes only on the session whose identity was
  /// checked, as BmcPower::act.
  virtual Result<WriteOutcome> arm_boot(const BootOverride& wanted, const Call& call) = 0;

  /// The firmware's own order. Unsupported: the BMC does not know one (IPMI never does).
  virtual Result<BootOrder> boot_order(const Call& /*call*/) { return no_boot_order(); }
  /// Puts these entries first, in this order; the others follow as they are. Reads back:
  /// Accepted means shown for the next start. Invalid: an id that is not in the order, or
  /// twice, or a refusal of the BMC (its words). Unsupported: the BMC took it and does
  /// not show it. Repeating is harmless. Writes only on the session whose identity was
  /// checked, as BmcPower::act.
  virtual Result<WriteOutcome> set_boot_order(const std::vector<std::string>& /*first*/, const Call& /*call*/) {
    return no_boot_order();
  }

 protected:
  static Error no_boot_order() { return {Code::Unsupported, "this BMC does not know the firmware's boot order"}; }
};

/// A peculiarity of a BMC that its driver goes by.
struct BmcQuirk {
  std::string id;        // as docs and `bmc.quirks` name it
  std::string why;       // "forced", "learnt", "known of this BMC"
  std::string evidence;  // one sentence
  friend bool operator==(const BmcQuirk&, const BmcQuirk&) = default;
};

/// What a driver has found out about a BMC on the way. Empty: not known, or not yet.
struct BmcTraits {
  std::string vendor, product, firmware;  // of the BMC
  std::string login;                      // how it is logged in: "session", "basic", "suite 17", …
  std::string credential;                 // name of the secret that works
  std::vector<BmcQuirk> quirks;
  std::optional<std::chrono::seconds> clock_off;  // how far its clock is ahead of ours, when it was read last
  friend bool operator==(const BmcTraits&, const BmcTraits&) = default;
};

class BmcAccounts;   // core/ports/bmc_manage.hpp
class BmcMedia;      // "
class BmcReset;      // "
class BmcSettings;   // "
class BmcEventLog;   // core/ports/bmc_observe.hpp
class BmcInventory;  // "
class BmcNetwork;    // "
class BmcSensors;    // "
class BmcConsole;    // core/ports/bmc_console.hpp
class BmcHints;      // core/ports/bmc_hints.hpp

/// One BMC. An aspect that the driver does not have is a null pointer; the
/// pointers live as long as the Bmc.
class Bmc {
 public:
  virtual ~Bmc() = default;
  virtual BmcPower* power() noexcept { return nullptr; }
  virtual BmcIdentity* identity() noexcept { return nullptr; }
  virtual BmcBoot* boot() noexcept { return nullptr; }
  virtual BmcInventory* inventory() noexcept { return nullptr; }
  virtual BmcNetwork* network() noexcept { return nullptr; }
  virtual BmcSensors* sensors() noexcept { return nullptr; }
  virtual BmcEventLog* event_log() noexcept { return nullptr; }
  virtual BmcMedia* media() noexcept { return nullptr; }
  virtual BmcSettings* settings() noexcept { return nullptr; }
  virtual BmcAccounts* accounts() noexcept { return nullptr; }
  virtual BmcReset* reset() noexcept { return nullptr; }
  virtual BmcConsole* console() noexcept { return nullptr; }
  virtual BmcHints* hints() noexcept { return nullptr; }
  /// Sends nothing.
  virtual BmcTraits traits() const { return {}; }
  /// Ends the session politely, for shutdown; errors do not matter.
  virtual void close(const Call& call) noexcept = 0;
};

/// One kind of BMC ("redfish", "ipmi"). Lives longer than every Bmc it made.
/// Thread rule: safe from any thread.
class BmcDriver {
 public:
  virtual ~BmcDriver() = default;
  /// Checks the endpoint and makes an object for it. Sends nothing: the first
  /// operation connects. `secrets` is asked for each login and must outlive the Bmc.
  /// Errors: Invalid (address, suite or trust that this driver cannot use).
  virtual Result<std::unique_ptr<Bmc>> attach(const BmcEndpoint& endpoint, const Secrets& secrets) = 0;

  /// Streams of hints that stand now.
  virtual std::size_t hint_streams() const { return 0; }

  /// Whether powers() is cheaper than asking one by one.
  virtual bool polls_in_batches() const noexcept { return false; }
  /// Power of many BMCs that this driver made, as steady polling wants it: on kept
  /// connections, by one thread, in the order of `bmcs`. One that has no session is
  /// Conflict: nothing was sent to it, ask it alone. The caller keeps all others away
  /// from these BMCs meanwhile. A dead BMC delays its own answer only, but the answers
  /// come together: the deadline is what bounds them.
  virtual std::vector<Result<PowerState>> powers(const std::vector<Bmc*>& bmcs, const Call& call) {
    std::vector<Result<PowerState>> out;
    for (Bmc* bmc : bmcs) out.push_back(bmc->power()->power(call));
    return out;
  }
};

}  // namespace nimbus
