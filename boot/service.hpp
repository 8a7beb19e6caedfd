// Service: who is served what, and what was heard. The heart of nimbus-boot, without
// sockets and children.
//
// Everything that must survive a crash is on disk before it is answered: the orders,
// the tokens, that a plan was taken, and reports that change the stage. So a machine
// whose plan was taken boots its disk next, whatever happened to this process.
// Thread rule: safe from any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "boot/protocol/orders.hpp"
#include "boot/script.hpp"
#include "boot/store.hpp"
#include "core/ports/clock.hpp"
#include "core/result.hpp"

namespace nimbus::boot {

class Service {
 public:
  /// Reads `state_folder`/state.db if it is there, and keeps it open. Errors: Corrupt, Busy
  /// (another process has it), Internal.
  /// `clock` must live longer.
  static Result<std::unique_ptr<Service>> open(const std::string& state_folder, ScriptFacts facts,
                                               std::function<std::string()> make_token, const Clock& clock);

  /// Takes over what is to be served, all of it; durable on return. What was heard of runs
  /// that are no longer ordered is forgotten. Errors: Internal.
  Result<> take(OrdersUpdate whole);
  /// Takes over what changed. Errors: also Conflict: it is not meant for the orders that
  /// are served here; the whole is needed. A service that was opened anew has nobody's orders.
  Result<> change(OrdersUpdate changes);
  /// What is served, without the runs.
  Orders hosts() const;

  /// The script for a machine: the installer if its run is active and was not begun,
  /// else its disk. Nothing: answer 404.
  std::optional<std::string> script(std::string_view mac);
  /// The sealed plan, once. Errors: Auth.
  Result<std::string> plan(std::string_view token);
  /// Errors: Auth (token), Conflict (another run or nonce, or the run has ended), Invalid.
  Result<> report(std::string_view token, std::string_view body);

  /// Of the run that is ordered for this machine; nothing: none is.
  std::optional<Heard> heard(std::string_view mac) const;
  /// Digests of images that runs need which are ordered.
  std::set<std::string> images() const;
  /// Machines that boot the installer next.
  std::set<std::string> installing() const;

 private:
  Service(StateStore store, KeptState kept, ScriptFacts facts, std::function<std::string()> make_token,
          const Clock& clock);
  Result<> take_over(const OrdersUpdate& changes);
  void note_restart(KeptMachine& machine);
  std::map<std::string, KeptMachine>::iterator machine_of_token(std::string_view token);

  const ScriptFacts facts_;
  const std::function<std::string()> make_token_;
  const Clock& clock_;
  const MonoTime begun_;
  mutable std::mutex mutex_;  // of all below
  StateStore store_;
  OrderMark mark_;                               // of what is served; of this process's life only
  Orders network_;                               // without machines
  std::map<std::string, KeptMachine> machines_;  // by MAC
  std::map<std::string, MonoTime> spoke_;        // by MAC: when the installer was heard last
};

}  // namespace nimbus::boot
