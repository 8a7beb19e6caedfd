// Fault rules: what goes wrong, for which machines, on which requests, when and how
// often. Read from TOML ([[fault]] tables) or from the control port's JSON with the same
// keys. Their page is docs/reference/fleet-file.md. Pure values.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"
#include "base/toml/reader.hpp"
#include "core/result.hpp"

namespace nimbus::simulator {

enum class FaultKind : std::uint8_t {
  Drop,            // no answer; Redfish: the connection ends
  Delay,           // the answer comes late
  Drip,            // Redfish: the answer comes a few bytes at a time
  Truncate,        // Redfish: the answer ends early
  Garbage,         // the answer is noise
  Status,          // Redfish: an error answer, nothing is done
  CompletionCode,  // IPMI: an error answer, nothing is done
  Duplicate,       // IPMI: every answer comes twice
  Lie,             // a write is acknowledged and not done
  Stale,           // reads show what they showed first
  NoSessions,      // no new session is let in
  RestartBmc,      // the BMC goes away for a while …
  PurgeTasks,      // … or forgets its tasks …
  NewCertificate,  // … or has another certificate: once, when the rule's time comes
};
std::string_view to_string(FaultKind kind) noexcept;
/// Whether it happens once at a time, not at requests.
bool is_event(FaultKind kind) noexcept;

enum class FaultSide : std::uint8_t { Both, Ipmi, Redfish };

struct FaultRule {
  FaultKind kind = FaultKind::Drop;
  std::vector<std::string> machines;  // patterns with *; empty: all
  FaultSide side = FaultSide::Both;
  std::string method;                  // Redfish: only this one
  std::string path = "*";              // Redfish: a pattern with *
  double percent = 100;                // of the requests that match
  std::optional<std::uint64_t> count;  // at most so often
  std::chrono::milliseconds after{0};  // since the rule was set
  std::optional<std::chrono::milliseconds> lasts;
  std::chrono::milliseconds delay{1000};   // of Delay
  int status = 503;                        // of Status
  std::optional<int> retry_after;          // seconds, with Status
  std::uint8_t completion_code = 0xc0;     // of CompletionCode
  std::size_t bytes = 20;                  // of Truncate: how many; of Drip: per second
  std::chrono::milliseconds away{10'000};  // of RestartBmc
};

/// Reads one table; faults of the text go to the reader.
FaultRule read_fault(base::toml::TableReader& table);
/// A script: a file of [[fault]] tables. Errors: Invalid with every place.
Result<std::vector<FaultRule>> parse_fault_script(std::string_view text, std::string_view file_name);
/// The same keys as JSON. Errors: Invalid.
Result<FaultRule> parse_fault(const base::Json& json);

/// `pattern` with any number of * for any text.
bool matches(std::string_view pattern, std::string_view text) noexcept;

}  // namespace nimbus::simulator
