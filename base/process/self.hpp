// This process: what it uses, for metrics, and who may see its memory. Source: proc(5), /proc/PID/stat and fd. Only
// files below /proc/self: a hardened service sees no others. Thread rule: safe from any thread.
#pragma once

#include <cstdint>

#include "core/result.hpp"

namespace nimbus::base {

struct ProcessUse {
  double cpu_seconds = 0;         // user and system
  double start_time_seconds = 0;  // since the epoch
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t threads = 0;
  std::uint64_t open_descriptors = 0;
  std::uint64_t most_descriptors = 0;
};

/// Errors: Internal (no /proc).
Result<ProcessUse> process_use();

/// No core dump from here on, and no debugger of other users: for programs that hold passwords.
void keep_memory_private() noexcept;

}  // namespace nimbus::base
