// Local holds: a person at the controller stops all writes to one machine, or to all,
// without Git and without anybody's review. Files below one folder of /etc, outside
// of the data folder, so that neither a crash nor a deleted data folder lifts one:
//
//   <folder>/all.toml               every machine
//   <folder>/machines/<name>.toml   one machine
//
// The folder is read at every question: a person may put a file there by hand while
// nimbusd does not even run. A file counts by being there: one that cannot be read
// or understood holds too. Only a folder that certainly does not exist holds nothing.
//
// Thread rule: safe from any thread. Errors: those of base/file; Invalid (no machine's
// name; no reason), NotFound (lifting what is not there).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"

namespace nimbus::controller {

struct LocalHold {
  std::string machine;  // empty: all
  std::string reason;   // a sentence; also when the file cannot be understood
  std::string by;       // who asked for it: "alice (uid 1000)"; may be empty
  std::optional<WallTime> since;

  /// "held on the controller by alice: moving the rack"
  std::string text() const;
};

class LocalHolds {
 public:
  explicit LocalHolds(std::string folder) : folder_(std::move(folder)) {}

  /// The hold that stops writes to this machine; nothing: none does.
  std::optional<LocalHold> of(const std::string& machine) const;
  /// All of them: that of all machines first, then by name.
  Result<std::vector<LocalHold>> list() const;

  /// Durable on return. Replaces an earlier hold of the same machine.
  Result<> place(const LocalHold& hold) const;
  /// `machine` empty: the hold of all machines; those of single machines stay.
  Result<> lift(const std::string& machine) const;

  const std::string& folder() const noexcept { return folder_; }

 private:
  std::optional<LocalHold> read(const std::string& machine) const;
  std::string path(const std::string& machine) const;

  const std::string folder_;
};

}  // namespace nimbus::controller
