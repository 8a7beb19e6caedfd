// Gaps to scripts: one for each level of dependencies, so that a whole level costs one
// round trip; and the reading of what became of each resource. Pure.
//
// A script never stops at a failure: each resource is a subshell of its own, what fails is
// told, and what depends on it is left out of the later levels. It may be killed anywhere:
// files go live by rename, notifications are remembered on the host before the change, and
// the next probe sees what is still missing.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/host/facts.hpp"
#include "core/host/resource.hpp"
#include "core/result.hpp"
#include "reconcilers/configure/gap.hpp"
#include "reconcilers/configure/order.hpp"

namespace nimbus::reconcilers::configure {

struct Correction {
  std::vector<std::string> resources;  // ids, in the order of the script
  std::string script;                  // holds secrets if a secret file is among them: never shown
  std::string shown;                   // the same for people: contents and secrets left out
};

/// The next level that has gaps which can be corrected, without what needs something in
/// `failed` or something whose gap is of another kind than Change. What still has a gap
/// after it was Done belongs in `failed` too, or this never ends. No resources: there is
/// nothing (more) to do. `token` as for the probe.
Correction next_correction(const host::Configuration& wanted, const Order& order, const std::vector<Gap>& gaps,
                           const host::Facts& shown, const std::set<std::string>& failed, std::string_view token);

struct Outcome {
  enum class Kind : std::uint8_t {
    Done,
    Failed,
    Busy,     // somebody else holds a lock (of dpkg): nothing was changed, ask again later
    Unknown,  // the script did not get there, or did not tell
  };
  std::string resource;
  Kind kind = Kind::Unknown;
  int exit_status = 0;
  std::string said;  // the end of what it said, printable, bounded
  bool changed = false;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

/// One for each resource of the correction; never fails: what is not told is Unknown.
std::vector<Outcome> read_outcomes(const Correction& correction, std::string_view output, std::string_view token);

/// Confirms actions that wait for it (facts.awaiting), on a session that was opened after them.
/// Exits with 0 if all of them were confirmed in time.
std::string confirm_script(const host::Facts& shown);

}  // namespace nimbus::reconcilers::configure
