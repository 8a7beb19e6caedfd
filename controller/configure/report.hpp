// What one pass over a host found and did: all that status, metrics and the API need. It
// holds no secret and no content of a file, except in `texts`, which never leave the API.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "controller/configure/health.hpp"
#include "controller/machine/guard.hpp"
#include "core/error.hpp"
#include "core/host/facts.hpp"
#include "core/time.hpp"
#include "reconcilers/configure/correct.hpp"
#include "reconcilers/configure/gap.hpp"
#include "registry/problem.hpp"

namespace nimbus::controller {

/// Why no host is looked at, and what to do.
inline constexpr const char* kWithoutKey =
    "nimbusd.toml has no [hosts] table, so no host is looked at: make a key, name it there, and restart nimbusd "
    "(docs/how-to/configure-hosts.md)";

/// A file that is not secret, as declared and as found.
struct DriftedText {
  std::string path;
  std::string diff;  // unified
  friend bool operator==(const DriftedText&, const DriftedText&) = default;
};

struct FailedCorrection {
  std::string resource;
  std::string reason;
  bool held = false;  // not tried again before the next look, or another commit
  friend bool operator==(const FailedCorrection&, const FailedCorrection&) = default;
};

struct HostReport {
  std::optional<Error> error;               // why the host could not be looked at, or a correction's end is not known
  bool without_key = false;                 // nimbusd.toml has no [hosts]: no host is looked at
  bool looked = false;                      // the last look succeeded; then `gaps` and `health` count
  std::vector<registry::Problem> problems;  // why the configuration is not what people meant; nothing is corrected
  std::vector<reconcilers::configure::Gap> gaps;
  std::vector<FailedCorrection> failed;
  std::vector<std::string> unproven;  // what was used there that no test has run
  std::optional<Refusal> refusal;     // why a correction did not happen
  bool unfinished = false;            // a correction was cut off: its end is not known
  bool busy = false;                  // somebody else holds a lock on the host
  std::size_t corrected = 0;          // resources that were changed
  std::size_t scripts = 0;            // that ran, looks included
  host::Health health;
  std::vector<HostTrouble> troubles;  // of `health`
  std::string os, os_version;
  std::vector<DriftedText> texts;
  WallTime at{};

  /// What a person must hear of, in one line: the first of it. Empty: nothing.
  std::string trouble() const {
    if (error) return error->text();
    if (!failed.empty()) return failed.front().resource + ": " + failed.front().reason;
    for (const auto& gap : gaps) {
      if (gap.kind != reconcilers::configure::Gap::Kind::Change) return gap.resource + ": " + gap.problem;
    }
    return {};
  }

  bool converged() const {
    return looked && !error && !registry::has_errors(problems) && gaps.empty() && failed.empty();
  }
};

}  // namespace nimbus::controller
