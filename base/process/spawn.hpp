// The one moment between this process and a child program. For process.cpp only.
//
// posix_spawn cannot set limits, and setting them afterwards comes too late for what
// the program has written by then; hence vfork and system calls.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace nimbus::base {

/// All pointers and descriptors are the caller's; descriptors are above 2.
struct ChildPlan {
  int input;
  int output;
  int errors;
  int report;  // write end of a pipe with O_CLOEXEC: closed without a word by a start that succeeds
  const char* file;
  char* const* argv;
  char* const* environment;
  const char* folder;
  std::uint64_t file_limit_bytes;  // 0: none
  pid_t parent;                    // this process
};

/// What the child tells if it does not get as far as the program.
struct StartFailure {
  enum class Step : int { Streams, Folder, Limit, Program } step = Step::Program;
  int number = 0;
};

/// The child's id, or -1 and errno. When it returns the child runs the program or has
/// failed to.
pid_t spawn(const ChildPlan& plan) noexcept;

/// Reads the other end of `report`, after this process has closed its write end.
/// Nothing: the program runs.
std::optional<StartFailure> read_failure(int report);

}  // namespace nimbus::base
