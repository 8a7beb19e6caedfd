// One child program: started without a shell, fed, read, limited and ended.
//
// The child gets a session and process group of its own, exactly the environment
// given, the three standard streams and no other descriptor. When the deadline
// passes or the stop token is set, the group gets SIGTERM, after `grace` SIGKILL;
// and when the program ends, whatever it left behind in its group is killed too. If
// this process dies, the program gets SIGTERM.
//
// Thread rule: safe from any thread, any number at once. The process must not
// ignore SIGCHLD nor reap children that it did not start.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/call.hpp"
#include "core/ports/clock.hpp"
#include "core/result.hpp"

namespace nimbus::base {

struct Program {
  /// argv[0] without a slash is looked up in this process's PATH.
  std::vector<std::string> argv;
  /// The whole environment, "NAME=value"; nothing is inherited.
  std::vector<std::string> environment = {};
  /// Working folder.
  std::string folder = "/";
  /// Standard input: a file in memory with these bytes, or /dev/null if empty.
  std::string input = {};
  /// What comes after the first so many bytes is read and dropped.
  std::size_t output_limit_bytes = std::size_t{1} << 20U;
  std::size_t errors_limit_bytes = std::size_t{64} << 10U;
  /// Largest file that the program may write (RLIMIT_FSIZE); 0: as this process.
  std::uint64_t file_limit_bytes = 0;
  /// Between SIGTERM and SIGKILL.
  std::chrono::milliseconds grace{2000};
};

enum class ProgramEnd : std::uint8_t {
  Exited,     // by itself, with exit_code
  Signalled,  // by a signal that did not come from here
  TimedOut,   // ended by us: deadline
  Cancelled,  // ended by us: stop token
};

struct Captured {
  std::string text;
  bool cut = false;  // there was more than the limit
};

struct ProgramResult {
  ProgramEnd end = ProgramEnd::Exited;
  int exit_code = -1;  // Exited only
  int signal = 0;      // that ended it, whoever sent it; 0 if it exited
  Captured output;
  Captured errors;
};

/// Runs `program` to its end. A program that ran is a result however it ended;
/// errors are those of starting it: NotFound (no such program), Invalid (not
/// executable, a NUL in an argument, no such folder), Cancelled and Timeout
/// (before it was started), Internal (out of processes, memory or descriptors).
Result<ProgramResult> run_program(const Program& program, const Call& call, const Clock& clock);

}  // namespace nimbus::base
