// Handing a machine back: what its BMC and firmware were like before an instance had it,
// and whether they are so again. Before it is available: discs ejected, no boot override,
// the firmware's boot order as it was, no account that was not there, firmware versions
// compared; each with a result.
//
// Thread rule: plain values; what acts uses the Bmc as its caller may.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/inventory.hpp"
#include "core/ports/bmc.hpp"
#include "core/ports/bmc_manage.hpp"
#include "registry/status/machine_status.hpp"

namespace nimbus::controller {

/// As it was before the first write for an instance. Nothing: the BMC does not offer it,
/// or could not tell.
struct Baseline {
  std::optional<std::vector<Account>> accounts;
  std::optional<std::vector<FirmwareVersion>> firmware;
  std::optional<std::vector<BootEntry>> boot_order;
};

/// Sends nothing but questions. Errors: those that may be gone the next time.
Result<Baseline> read_baseline(Bmc& bmc, const Call& call);

struct HandBack {
  std::vector<registry::CheckRecord> checks;
  std::optional<std::vector<Account>> accepted;  // the owner takes these from now on
  std::string missing;                           // why the machine cannot be offered yet, a sentence; empty: it can
};

/// `guarded` runs a write if it is allowed now, with a call that says until when. `accept`: the owner takes accounts as
/// they are. Harmless to repeat.
HandBack hand_back(Bmc& bmc, const std::optional<Baseline>& baseline, bool accept,
                   const std::function<Result<>(const std::function<Result<>(const Call&)>&)>& guarded,
                   const Call& call);

/// What was added, or may do more than before; empty: nothing.
std::string more_accounts(const std::vector<Account>& before, const std::vector<Account>& now);
/// The ids of `before` that are there still, in their order, and what came or went since.
struct OrderBack {
  std::vector<std::string> first;
  std::string came, went;  // for people; empty: nothing
};
OrderBack order_back(const std::vector<BootEntry>& before, const std::vector<BootEntry>& now);
std::string other_versions(const std::vector<FirmwareVersion>& before, const std::vector<FirmwareVersion>& now);

}  // namespace nimbus::controller
