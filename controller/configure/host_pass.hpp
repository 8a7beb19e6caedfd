// One pass over one host: build what it should have, look, compare; where the instance says
// "enforce" and nothing forbids it, correct level by level, and look again after each.
//
// Nothing is believed that was not seen: a correction's own word is for people only. A pass
// may be cut off anywhere; the next one begins with a look and finds what is missing.
//
// Before each level the guard is asked anew: brakes, a newer commit and a lost term count from
// the moment they are known, and a script leaves while its permission lasts, or not at all.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

#include "controller/configure/report.hpp"
#include "controller/configure/target.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/host.hpp"
#include "registry/host/host_configuration.hpp"

namespace nimbus::controller {

struct HostLimits {
  std::chrono::milliseconds interval = std::chrono::minutes(5);   // between looks at a host that is as declared
  std::chrono::milliseconds deadline = std::chrono::minutes(10);  // of one correction
  std::chrono::milliseconds look = std::chrono::seconds(30);      // of one look
  /// What may have cut the host off undoes itself unless it is confirmed within this time.
  std::chrono::milliseconds confirm = std::chrono::seconds(60);
};

struct HostTools {
  const Clock& clock;
  HostDriver* hosts = nullptr;  // null: the controller has no key for hosts
  std::function<registry::HostBuild(const HostTarget&)> build;
  std::function<Authority()> authority;
  std::function<std::string(const std::string& machine)> local_hold = [](const std::string&) { return std::string(); };
  /// What is in force by now is not what the pass was begun with.
  std::function<std::optional<Refusal>()> superseded = [] { return std::optional<Refusal>(); };
  /// A script on the host came to its end, whatever that was.
  std::function<void()> stepped = [] {};
  /// A line in the audit log: before and after each correction. No line, no correction.
  std::function<Result<>(const std::string& what, const HostTarget& target, const std::string& detail)> note;
  /// A correction is under way (true) or over: durable, so that a crash is told.
  std::function<Result<>(const std::string& instance, bool under_way)> mark = [](const std::string&, bool) -> Result<> {
    return {};
  };
  std::function<std::string()> token;  // letters and digits, new each time
  /// The first correction of a pass begins.
  std::function<void(const HostTarget&)> began = [](const HostTarget&) {};
};

/// What the next pass must know of the earlier ones.
struct HostMemory {
  struct Futile {
    int attempts = 0;              // in a row, without lasting effect
    std::string why;               // the last time
    std::deque<MonoTime> done;     // corrections that had an effect, within the last hour
    std::optional<MonoTime> rest;  // not tried before this
  };
  std::unique_ptr<Host> host;
  HostEndpoint endpoint;                 // that `host` was made for
  std::string digest;                    // that `futile` counts for
  std::map<std::string, Futile> futile;  // by resource
  std::vector<HostTrouble> troubles;     // of the last look
  std::vector<DriftedText> texts;        // as read last …
  std::string texts_of;                  // … of these digests
};

inline constexpr int kMostAttempts = 3;
inline constexpr std::size_t kMostCorrectionsInAnHour = 10;
inline constexpr std::chrono::hours kRest{1};
/// What may cut a host off and was of no use is tried after ever longer rests: each try disturbs the host.
inline constexpr std::chrono::hours kLongestRest{24};

HostReport run_host_pass(const HostTarget& target, HostMemory& memory, const HostTools& tools, const HostLimits& limits,
                         std::stop_token stop);

}  // namespace nimbus::controller
