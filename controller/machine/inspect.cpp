#include "controller/machine/inspect.hpp"

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

}  // namespace

std::unique_ptr<InspectionPace::Turn> InspectionPace::take() {
  if (running_.fetch_add(1) < most_) return std::make_unique<Turn>(running_);
  running_.fetch_sub(1);
  return nullptr;
}

Result<Inspection> inspect(Bmc& bmc, bool settings, const Call& call) {
  Inspection out;
  if (BmcInventory* const aspect = bmc.inventory(); aspect != nullptr) {
    if (auto kept = keep(aspect->inventory(call), out.inventory); !kept) return std::move(kept.error());
    std::optional<std::vector<FirmwareVersion>> firmware;
    if (auto kept = keep(aspect->firmware(call), firmware); !kept) return std::move(kept.error());
    if (firmware) out.firmware = std::move(*firmware);
  }
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
