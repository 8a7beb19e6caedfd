// A machine with a BMC, as a state machine with switches for everything that real
// ones do wrong. Thread rule: one thread at a time.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/ports/bmc.hpp"
#include "core/ports/bmc_hints.hpp"

namespace nimbus::testing {

/// The machine itself; outlives the connections to it.
struct FakeMachine {
  PowerState power = PowerState::Off;
  Identity identity{.serial = "S1", .uuid = {}, .bmc_guid = {}};
  std::vector<PowerAction> received;  // what really reached the machine
  std::vector<Call> act_calls;        // how long each try might take, what came too late included
  int sessions = 0;

  // Switches. A function decides per call, so that a test can fail the n-th one.
  std::function<std::optional<Error>()> fail_power;
  std::function<std::optional<Error>()> fail_identity;
  std::function<std::optional<Error>()> fail_act_unsent;  // refused before it reached the machine
  std::function<std::optional<Error>()> fail_act_sent;    // acted upon, and then no answer
  bool ignores_actions = false;                           // "200 but nothing changed"
  bool ignores_soft_off = false;
  std::function<void()> before_act;  // e.g. somebody swaps the machine
  std::function<MonoTime()> now;     // the clock of Call::write_by; none: everything is in time
  bool hints = false;                // offers hints
  std::function<void()> hint;        // who listens to them

  void drop_session() { session_open = false; }
  bool session_open = false;

  void apply(PowerAction action) {
    received.push_back(action);
    if (ignores_actions || (action == PowerAction::SoftOff && ignores_soft_off)) return;
    power = action == PowerAction::On || action == PowerAction::Reset ? PowerState::On : PowerState::Off;
  }
};

class FakeBmc final : public Bmc, private BmcPower, private BmcIdentity, private BmcHints {
 public:
  explicit FakeBmc(FakeMachine& machine) : machine_(machine) {}

  BmcPower* power() noexcept override { return this; }
  BmcIdentity* identity() noexcept override { return this; }
  BmcHints* hints() noexcept override { return machine_.hints ? this : nullptr; }
  void close(const Call&) noexcept override { machine_.session_open = false; }

 private:
  Result<PowerState> power(const Call&) override {
    if (auto error = ask(machine_.fail_power)) return *error;
    connect();
    return machine_.power;
  }
  Result<WriteOutcome> act(PowerAction action, const Call& call) override {
    if (machine_.before_act) machine_.before_act();
    machine_.act_calls.push_back(call);
    if (machine_.now && machine_.now() > call.write_by)
      return Error{Code::Conflict, "it came too late; nothing was sent"};
    if (auto error = ask(machine_.fail_act_unsent)) return *error;
    if (!machine_.session_open) return Error{Code::Conflict, "the session was lost"};
    machine_.apply(action);
    if (auto error = ask(machine_.fail_act_sent)) return *error;
    return WriteOutcome::Accepted;
  }
  Result<Identity> identity(const Call&) override {
    if (auto error = ask(machine_.fail_identity)) return *error;
    connect();
    return machine_.identity;
  }
  Result<> offered(const Call&) override { return {}; }
  Result<> listen(std::function<void()> hint, const Call&) override {
    if (!machine_.hint) machine_.hint = std::move(hint);
    return {};
  }
  unsigned long session() const noexcept override { return static_cast<unsigned long>(machine_.sessions); }

  static std::optional<Error> ask(const std::function<std::optional<Error>()>& switch_) {
    return switch_ ? switch_() : std::nullopt;
  }
  void connect() {
    if (!machine_.session_open) machine_.sessions += 1;
    machine_.session_open = true;
  }

  FakeMachine& machine_;
};

}  // namespace nimbus::testing
