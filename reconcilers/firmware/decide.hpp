// Firmware settings: what differs from the file, and what, if anything, is to be done.
//
// Managed attributes only; everything else is left alone. Settings wait for the next start
// of the machine: staging them is one step, the restart that makes them count another, and
// neither is taken unless the machine may be restarted now: nobody's settings change
// because he happens to reboot. Pure and total; a converged machine decides nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/desired/machine.hpp"
#include "core/drift.hpp"
#include "core/ports/bmc_manage.hpp"

namespace nimbus::reconcilers {

struct FirmwareView {
  std::optional<BiosState> bios;               // nothing: not read, or not offered
  std::optional<SecureBootState> secure_boot;  // "
};

/// "bios.<attribute>" and "boot.secure_boot", in order.
std::vector<Drift> compare_firmware(const DesiredMachine& desired, const FirmwareView& view);

struct FirmwareDecision {
  enum class Kind {
    Nothing,
    Report,   // differs, and the registry says to observe only
    Wait,     // may not be restarted now; `reason` says why
    Stage,    // write `bios` and `secure_boot`, so that the next start takes them
    Restart,  // all is staged: the machine is to be restarted
    Hold,     // a person must look
  };
  Kind kind = Kind::Nothing;
  BiosAttributes bios;
  std::optional<bool> secure_boot;
  std::string reason;
  friend bool operator==(const FirmwareDecision&, const FirmwareDecision&) = default;
};

struct FirmwareMoment {
  std::string closed;  // why the machine may not be restarted now; empty: it may
  bool on = false;     // off: the next start takes what is staged, and is not ours to begin
  int restarts = 0;    // that this very wish has cost already
};

/// So many restarts for one wish, and a person must look: this firmware does not keep it.
inline constexpr int kMostFirmwareRestarts = 2;

FirmwareDecision decide_firmware(const DesiredMachine& desired, const FirmwareView& view, const FirmwareMoment& moment);

}  // namespace nimbus::reconcilers
