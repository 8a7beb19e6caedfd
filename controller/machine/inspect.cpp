#include "controller/machine/inspect.hpp"

#include <algorithm>
#include <utility>

#include "core/ports/bmc_observe.hpp"

namespace nimbus::controller {
namespace {

/// A part that the BMC does not have, or not now, is left out; a BMC that has gone ends it.
template <class Value>
Result<> keep(Result<Value> read, std::optional<Value>& into) {
  if (read) {
    into = std::move(*read);
    return {};
  }
  const Code code = read.error().code;
  if (code == Code::Unreachable || code == Code::Timeout || code == Code::Cancelled || code == Code::Auth) {
    return std::move(read.error());
  }
  into.reset();
  return {};
}

/// A BMC that tells its time does so along with who it is; on a session that is kept nobody asks
/// for that again.
Result<> inspect_clock(Bmc& bmc, Inspection& known, const Call& call) {
  if (!bmc.traits().clock_off) return {};
  std::optional<Identity> told;
  if (BmcIdentity* const aspect = bmc.identity(); aspect != nullptr) {
    if (auto kept = keep(aspect->identity(call), told); !kept) return kept;
  }
  if (told) known.clock_off = bmc.traits().clock_off;
  return {};
}

}  // namespace

std::unique_ptr<InspectionPace::Turn> InspectionPace::take() {
  if (running_.fetch_add(1) < most_) return std::make_unique<Turn>(running_);
  running_.fetch_sub(1);
  return nullptr;
}

bool manages_settings(const DesiredMachine& desired) {
  return !desired.bios.empty() || desired.boot.secure_boot.has_value();
}

void InspectionMemory::forget() { *this = {}; }

void InspectionMemory::saw(PowerState state, WallTime now, const InspectionPace& pace) {
  constexpr std::chrono::milliseconds kSelfTest = std::chrono::minutes(2);
  if (state == PowerState::On && power_ && power_ != PowerState::On)
    settings_next_ = now + std::min(kSelfTest, pace.every());
  power_ = state;
}

void InspectionMemory::read_if_due(Bmc& bmc, const DesiredMachine& desired, InspectionPace& pace, WallTime now,
                                   const Call& call) {
  const bool all = !known_ || !next_ || now >= *next_;
  const bool settings = digest_ != desired.digest || (settings_next_ && now >= *settings_next_);
  if (next_ && now < *next_ && !settings) return;
  const auto turn = pace.take();
  if (!turn) return;
  bool read = true;
  if (all) {
    auto found = inspect(bmc, manages_settings(desired), call);
    read = found.has_value();
    if (found) known_ = std::move(*found);
    next_ = now + (read ? pace.every() : pace.every() / 4);
  } else if (manages_settings(desired)) {
    read = inspect_settings(bmc, *known_, call).has_value();
  }
  if (!read) {
    settings_next_ = now + pace.every() / 4;
    return;
  }
  // Read while the firmware still applies them: they are looked at again after the self test.
  const bool starting = all && settings_next_ && now < *settings_next_;
  if (!starting) {
    settings_next_.reset();
    digest_ = desired.digest;
  }
  if (!known_->inventory) return;
  const auto secure_boot = known_->secure_boot ? std::optional(known_->secure_boot->enabled_now) : std::nullopt;
  record_ = std::make_shared<const registry::HardwareRecord>(
      registry::hardware_record(*known_->inventory, known_->firmware, secure_boot));
}

Result<> InspectionMemory::read_settings(Bmc& bmc, const Call& call) {
  if (!known_) return {};
  return inspect_settings(bmc, *known_, call);
}

Result<Inspection> inspect(Bmc& bmc, bool settings, const Call& call) {
  Inspection out;
  if (BmcInventory* const aspect = bmc.inventory(); aspect != nullptr) {
    if (auto kept = keep(aspect->inventory(call), out.inventory); !kept) return std::move(kept.error());
    std::optional<std::vector<FirmwareVersion>> firmware;
    if (auto kept = keep(aspect->firmware(call), firmware); !kept) return std::move(kept.error());
    if (firmware) out.firmware = std::move(*firmware);
  }
  if (auto read = inspect_clock(bmc, out, call); !read) return std::move(read.error());
  if (!settings) return out;
  if (auto read = inspect_settings(bmc, out, call); !read) return std::move(read.error());
  return out;
}

Result<> inspect_settings(Bmc& bmc, Inspection& known, const Call& call) {
  BmcSettings* const aspect = bmc.settings();
  if (aspect == nullptr) return {};
  if (auto kept = keep(aspect->bios(call), known.bios); !kept) return kept;
  return keep(aspect->secure_boot(call), known.secure_boot);
}

}  // namespace nimbus::controller
