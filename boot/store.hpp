// StateStore: what nimbus-boot keeps on disk, a row for each machine, so that what
// happens to one machine costs the same however many there are.
//
// Thread rule: one thread at a time.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/sqlite/sqlite.hpp"
#include "boot/protocol/orders.hpp"
#include "core/result.hpp"

namespace nimbus::boot {

struct KeptMachine {
  MachineOrder order;
  Heard heard;        // of order.run; without one as it was made
  std::string token;  // of the newest script; empty: none
};

/// Whether the machine boots the installer next: until its plan was taken or its run ended.
bool boots_installer(const KeptMachine& machine);

struct KeptState {
  Orders network;  // without machines
  std::map<std::string, KeptMachine> machines;
};

class StateStore {
 public:
  /// Errors: of Database::open, Unsupported (a newer program wrote it).
  static Result<StateStore> open(const std::string& path);

  /// Errors: Corrupt.
  Result<KeptState> load();
  /// All or nothing, and durable on return. Errors: Internal.
  Result<> save(const KeptMachine& machine);
  Result<> save(const Orders& network, const std::vector<const KeptMachine*>& changed,
                const std::vector<std::string>& removed);

 private:
  explicit StateStore(base::sqlite::Database database) : database_(std::move(database)) {}
  Result<> set_up();
  Result<> put(const KeptMachine& machine);

  base::sqlite::Database database_;
};

}  // namespace nimbus::boot
