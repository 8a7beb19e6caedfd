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
#include <string>
#include <vector>

#include "boot/protocol/orders.hpp"
#include "boot/script.hpp"
#include "core/result.hpp"

namespace nimbus::boot {

class Service {
 public:
  /// Reads `state_folder`/state.json if it is there. Errors: Corrupt, Internal.
  static Result<std::unique_ptr<Service>> open(const std::string& state_folder, ScriptFacts facts,
                                               std::function<std::string()> make_token);

  /// Takes over what is to be served; durable on return. What was heard of runs that
  /// are no longer ordered is forgotten. Errors: Internal.
  Result<> take(Orders orders);
  Orders orders() const;

  /// The script for a machine: the installer if its run is active and was not begun,
  /// else its disk. Nothing: answer 404.
  std::optional<std::string> script(std::string_view mac);
  /// The sealed plan, once. Errors: Auth.
  Result<std::string> plan(std::string_view token);
  /// Errors: Auth (token), Conflict (another run or nonce, or the run has ended), Invalid.
  Result<> report(std::string_view token, std::string_view body);

  HeardByMac heard() const;
  /// Machines that boot the installer next.
  std::vector<std::string> installing() const;

 private:
  struct Slot {
    Heard heard;
    std::string token;  // of the newest script; empty: none
  };

  Service(std::string path, ScriptFacts facts, std::function<std::string()> make_token)
      : path_(std::move(path)), facts_(std::move(facts)), make_token_(std::move(make_token)) {}
  Result<> save() const;
  Result<> load(std::string_view text);
  const MachineOrder* order_of(std::string_view mac) const;
  bool bootable(const MachineOrder& order) const;
  std::map<std::string, Slot>::iterator slot_of_token(std::string_view token);

  const std::string path_;
  const ScriptFacts facts_;
  const std::function<std::string()> make_token_;
  mutable std::mutex mutex_;  // of all below
  Orders orders_;
  std::map<std::string, Slot> slots_;  // by MAC, of machines with a run
};

}  // namespace nimbus::boot
