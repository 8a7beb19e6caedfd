// LifeRecords: the journal's records of machines' lives, and whose they are.
//
// A record follows the hardware, not the name of a file: a machine that is renamed, or
// whose file changes place with another's, keeps what is known of its disks. Where the
// declared identity itself is edited, the record stays with the file. Records of machines
// that are no longer in the registry stay here: their disks are what they are.
// Thread rule: one thread at a time.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "controller/install/record.hpp"
#include "core/identity.hpp"

namespace nimbus::controller {

/// Where records are kept. Durable on return.
struct LifeStore {
  std::function<Result<>(const std::string& key, const std::string& value)> remember;
  /// All whose key begins with `prefix`.
  std::function<Result<std::map<std::string, std::string>>(const std::string& prefix)> recall_all;
};

class LifeRecords {
 public:
  using Declared = std::map<std::string, Identity>;  // by machine

  LifeRecords(LifeStore store, const std::string& provider)
      : store_(std::move(store)), prefix_("life/" + provider + "/") {}

  /// Reads the journal, the first time. Errors: Corrupt, and those of the store.
  Result<> open();

  /// The key of the record of `machine`; empty: there is none. `declared`: all machines
  /// of the registry, this one too.
  std::string find(const std::string& machine, const Declared& declared) const;
  const LifeRecord& get(const std::string& key) const { return entries_.at(key).record; }

  /// Keeps `record` as that of `machine`, under `key` (empty: a new one, which is
  /// returned). Errors: those of the store; then nothing changed.
  Result<std::string> keep(const std::string& key, const std::string& machine, const Identity& identity,
                           const LifeRecord& record);

  /// Notes that it is the record of `machine` now. Errors: those of the store.
  Result<> give(const std::string& key, const std::string& machine, const Identity& identity);

  /// Instances on machines that are not among `present` (keys).
  struct Absent {
    std::string machine;  // as its file was called
    std::string address;
  };
  std::map<std::string, Absent> absent(const std::set<std::string>& present) const;
  /// A claim for which nothing was written ends with its machine's file.
  Result<> drop_untouched(const std::set<std::string>& present);

 private:
  struct Entry {
    std::string machine;  // as its file was called
    Identity identity;    // as declared then
    LifeRecord record;
  };

  std::string new_key(const std::string& machine, const Identity& identity) const;
  void index(const std::string& key, const Entry& entry);

  const LifeStore store_;
  const std::string prefix_;
  bool open_ = false;
  std::map<std::string, Entry> entries_;        // by key
  std::map<std::string, std::string> by_mark_;  // "serial=…", "machine=…": key; may be out of date
};

}  // namespace nimbus::controller
