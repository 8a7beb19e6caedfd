// A gap: one resource of a host that is not as declared. Its drifts may be shown to
// anybody who reads the registry: they never hold the content of a file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/drift.hpp"

namespace nimbus::reconcilers::configure {

struct Gap {
  enum class Kind : std::uint8_t {
    Change,       // can be corrected
    Unsupported,  // this host has no means for it (no systemd, another package manager)
    Unknown,      // the probe could not tell
    Held,         // corrected before, and it undid itself: a person must look
  };
  std::string resource;  // its id
  Kind kind = Kind::Change;
  std::vector<Drift> drifts;
  std::string problem;    // unless Change: why, for people
  bool notified = false;  // only because something that it depends on changed
  friend bool operator==(const Gap&, const Gap&) = default;
};

}  // namespace nimbus::reconcilers::configure
