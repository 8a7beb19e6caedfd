// The host port: a running operating system that can be told to run a shell script.
// Implemented by drivers/ssh; used by the controller for what reconcilers/configure plans.
//
// A host is hostile input: output is bounded, time is bounded, its key is pinned.
// Thread rule: one operation at a time per Host, from any thread; different Hosts are
// independent.
//
// Errors: Unreachable, Timeout (the script may have run, wholly or in part), Cancelled,
// Auth (our key or sudo is refused), Untrusted (another host key than the pinned one:
// nothing was sent), Corrupt (it does not speak SSH, or says more than it may), Conflict
// (Call::write_by had passed: nothing of the script was sent), Busy, Internal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/call.hpp"
#include "core/result.hpp"

namespace nimbus {

struct HostEndpoint {
  std::string address;   // host or host:port; port 22 if none
  std::string host_key;  // "ssh-ed25519 AAAA…": the only one that is accepted
  std::string user;
  friend bool operator==(const HostEndpoint&, const HostEndpoint&) = default;
};

struct HostScript {
  std::string_view text;                           // for a POSIX shell, on its standard input; never an argument
  bool as_root = true;                             // by sudo -n unless the user is root
  std::size_t most_output = std::size_t{1} << 20;  // bytes of each stream; more is Corrupt
};

struct HostAnswer {
  int exit_status = 0;  // -1: ended by a signal
  std::string output, errors;
};

class Host {
 public:
  virtual ~Host() = default;
  /// Opens a session if there is none. An exit status other than 0 is an answer, not an error.
  virtual Result<HostAnswer> run(const HostScript& script, const Call& call) = 0;
  /// Counts sessions; a change says that a new one was opened since.
  virtual unsigned long session() const noexcept = 0;
  /// Ends the session; the next run() opens a new one.
  virtual void close(const Call& call) noexcept = 0;
};

class HostDriver {
 public:
  virtual ~HostDriver() = default;
  /// Sends nothing. Errors: Invalid (address or key), Internal (our own key cannot be read).
  /// The Host must not outlive the driver. Thread rule: safe from any thread.
  virtual Result<std::unique_ptr<Host>> attach(const HostEndpoint& endpoint) = 0;
};

}  // namespace nimbus
