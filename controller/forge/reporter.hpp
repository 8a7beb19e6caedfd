// ForgeReporter: tells the forge what became of the newest commit. The latest wins; what
// cannot be told is tried again with growing pauses and never holds anything up.
//
// Thread rule: tell() from any thread; work() is one thread's life.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "base/http/client.hpp"
#include "controller/forge/commit_status.hpp"
#include "controller/work/wake.hpp"
#include "core/ports/clock.hpp"
#include "core/result.hpp"

namespace nimbus::controller {

class ForgeReporter {
 public:
  struct Options {
    std::string api;  // "https://forge.example/api/v1"
    ForgeProject project;
    std::string token_file;
    std::string ca_file;
  };
  struct Memory {
    /// Whether this very status was told before, also by an earlier run of the program.
    std::function<bool(const std::string& status)> known;
    std::function<void(const std::string& status)> remember;
    std::function<bool()> may_speak;  // this controller holds the term
  };

  /// Errors: Invalid (an address that cannot be used), those of reading the CA.
  static Result<std::unique_ptr<ForgeReporter>> make(Options options, const Clock& clock, Memory memory);

  void tell(CommitStatus status);
  void work(std::stop_token stop);

 private:
  ForgeReporter(Options options, const Clock& clock, Memory memory, std::unique_ptr<base::HttpClient> client);
  /// Errors: those of the client and of reading the token; Auth, Invalid: the forge refused.
  Result<> send(const CommitStatus& status, const Call& call);

  const Options options_;
  const Clock& clock_;
  const Memory memory_;
  const std::unique_ptr<base::HttpClient> client_;
  Wake wake_;
  std::mutex mutex_;
  std::optional<CommitStatus> next_;
};

}  // namespace nimbus::controller
