// The install decision: the next step of a run that installs or erases a machine.
//
// A run is a value that is kept in the journal; this function looks at it and at what
// is seen, and says one step. Pure and total. Every phase has a deadline, a limit of
// attempts, and a reason that people read. No step is lost by a crash: whoever comes
// back with the stored run and looks again is told the same step or its effect.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "core/choice.hpp"
#include "core/observed.hpp"
#include "core/power.hpp"
#include "core/time.hpp"

namespace nimbus::reconcilers {

enum class RunKind : std::uint8_t { Install, Erase };

enum class RunPhase : std::uint8_t {
  Intent,    // to be pushed to the status branch
  Prepare,   // power off
  Booting,   // boot override armed, powered on; until the installer checks in
  Working,   // the installer works
  Handover,  // installed; until SSH answers with the reported host key
  Settle,    // erased; until the machine is off
  Done,
  Held,  // a person must look
};

/// What the installer told of the present attempt.
enum class Told : std::uint8_t { Nothing, AskedForScript, CheckedIn, Working, Finished, Failed };

/// Whether the installed system answers.
enum class SshAnswer : std::uint8_t { NotAsked, Silent, ExpectedKey, OtherKey };

struct InstallPolicy {
  std::chrono::milliseconds intent_deadline = std::chrono::hours(24);  // a forge that is down
  /// A dead mirror: then status says so; it is asked again all the same.
  std::chrono::milliseconds image_deadline = std::chrono::hours(1);
  std::chrono::milliseconds power_deadline = std::chrono::minutes(2);
  std::chrono::milliseconds boot_deadline = std::chrono::minutes(15);
  /// Of an installer that writes an image: it tells of its progress all the time.
  std::chrono::milliseconds silence_deadline = std::chrono::minutes(15);
  /// Of silence otherwise: a disk that erases itself may take hours and says nothing.
  std::chrono::milliseconds work_deadline = std::chrono::hours(6);
  std::chrono::milliseconds handover_deadline = std::chrono::minutes(20);
  /// A machine that was switched on and reads as off this long was not switched on.
  std::chrono::milliseconds settle = std::chrono::seconds(30);
  int most_attempts = 3;
  friend bool operator==(const InstallPolicy&, const InstallPolicy&) = default;
};

struct RunState {
  RunKind kind = RunKind::Install;
  RunPhase phase = RunPhase::Intent;
  WallTime since{};         // of the phase
  int attempt = 1;          // boots of the installer
  WallTime powered{};       // when power was last switched
  std::string held;         // why; Held only
  bool by_machine = false;  // Held: the machine itself failed, not what was asked of it
  WallTime image_since{};   // Prepare: since when nothing but the image is missing
  bool overdue = false;     // what it waits for has not come within its deadline
  friend bool operator==(const RunState&, const RunState&) = default;
};

struct RunView {
  Observed<PowerState> power = Observed<PowerState>::unknown("");
  bool intent_pushed = false;
  std::string refusal;  // of the proof or the guard; empty: the next write may happen
  std::string image;    // why the image is not there; empty: it is
  Told told = Told::Nothing;
  std::string message;  // of the installer, with Failed
  /// The machine started again while the installer worked, so that it works no more.
  bool restarted = false;
  std::optional<std::chrono::milliseconds> silent;  // since the installer was heard; nothing: nobody knows
  SshAnswer ssh = SshAnswer::NotAsked;
};

struct RunStep {
  enum class Kind : std::uint8_t {
    Wait,
    PushIntent,
    PowerOff,
    Boot,     // serve the run, arm the boot override, switch on
    PowerOn,  // boots its disk
    AskSsh,
    Again,  // the attempt is lost: a new nonce, from Intent on
    Finish,
    Hold,
  };
  Kind kind = Kind::Wait;
  RunPhase phase = RunPhase::Intent;  // that the run is in once the step has begun
  std::string reason;
  bool by_machine = false;  // Hold: another machine might do it
  bool overdue = false;     // Wait: for longer than its deadline, which people must know
  friend bool operator==(const RunStep&, const RunStep&) = default;
};

RunStep decide_run(const RunState& run, const RunView& view, const InstallPolicy& policy, WallTime now);

}  // namespace nimbus::reconcilers

template <>
inline constexpr auto nimbus::kChoiceNames<nimbus::reconcilers::RunKind> = nimbus::choice_names("install", "erase");
template <>
inline constexpr auto nimbus::kChoiceNames<nimbus::reconcilers::RunPhase> =
    nimbus::choice_names("intent", "prepare", "booting", "working", "handover", "settle", "done", "held");
