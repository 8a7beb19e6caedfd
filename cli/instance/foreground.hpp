// A program of the user's own (git, ssh) with the user's own environment, terminal and
// configuration. base/process is for programs that run apart from all that.
// Thread rule: one thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/result.hpp"

namespace nimbus::cli {

enum class Streams : std::uint8_t {
  Inherit,  // the terminal's
  Capture,  // standard output and error into `output`; the terminal stays for passwords
};

struct Foreground {
  std::vector<std::string> argv;                   // argv[0] is looked up in PATH
  std::vector<std::string> more_environment = {};  // "NAME=value"
  Streams streams = Streams::Capture;
  std::string input = {};  // Capture only; empty: /dev/null
};

struct ForegroundResult {
  int code = 0;        // 128 + the signal's number if one ended it
  std::string output;  // at most kMostForegroundBytes of it
};
inline constexpr std::size_t kMostForegroundBytes = std::size_t{1} << 20U;

/// Errors: NotFound (no such program), Internal.
Result<ForegroundResult> run_foreground(const Foreground& program);

}  // namespace nimbus::cli
