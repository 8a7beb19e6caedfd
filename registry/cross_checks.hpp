// Rules across files: references, uniqueness, networks, quotas. Internal to
// registry/. Reads a file again only to say where in it a problem lies.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/toml/value.hpp"
#include "registry/problem.hpp"
#include "registry/snapshot.hpp"
#include "registry/source.hpp"

namespace nimbus::registry {

void cross_check(const Snapshot& snapshot, const TreeSource& source, std::vector<Problem>& problems);

/// Adds problems at keys of files, looking up their places. One file is kept parsed.
class CrossReport {
 public:
  CrossReport(const Snapshot& snapshot, const TreeSource& source, std::vector<Problem>& problems)
      : snapshot_(snapshot), source_(source), problems_(problems) {}

  /// `key` as for span_at(); empty: the file as a whole.
  void add(ProblemCode code, const std::string& file, std::string_view key, std::string message,
           std::string related = {}, Severity severity = Severity::Error);
  void add(Problem problem) { problems_.push_back(std::move(problem)); }
  const Snapshot& snapshot() const noexcept { return snapshot_; }
  const TreeSource& source() const noexcept { return source_; }

 private:
  const base::toml::Table* table_of(const std::string& file);

  const Snapshot& snapshot_;
  const TreeSource& source_;
  std::vector<Problem>& problems_;
  std::string cached_file_;
  std::optional<base::toml::Table> cached_;
};

// The parts, each in a file of its own.
void check_unique(CrossReport& report);
void check_providers(CrossReport& report);
void check_policy(CrossReport& report);
void check_content(CrossReport& report);
void check_instances(CrossReport& report);
void check_hosts(CrossReport& report);

/// What a machine claims for itself alone, as hashes without repetition: kept with
/// the entry, so that unchanged machines cost a few table look-ups.
std::vector<std::uint64_t> claims_of(const MachineEntry& entry);
/// All machines' claims, sorted; null if one occurs twice. With `previous` at the
/// price of what changed since.
std::shared_ptr<const std::vector<std::uint64_t>> all_claims(const Entries<DesiredMachine>& machines,
                                                             const Snapshot* previous);

/// True if `list` holds `name` or "*".
bool admits(const std::vector<std::string>& list, std::string_view name) noexcept;

}  // namespace nimbus::registry
