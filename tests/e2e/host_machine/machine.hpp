// One Debian machine with systemd, emulated, whose sshd is reached over loopback: what Nimbus would
// do to a host, done by its own driver over real SSH. Nothing of it outlives the process.
//
// Thread rule: one thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "base/time/time.hpp"
#include "core/ports/host.hpp"
#include "pass.hpp"

namespace nimbus::test {

class Machine {
 public:
  /// Starts it, and waits until systemd has started everything. Throws std::runtime_error.
  Machine();
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  /// As root, over the kept session.
  Result<HostAnswer> run(const std::string& script, std::chrono::seconds longest = std::chrono::seconds{240});
  /// Its output; fails the test if it fails.
  std::string sh(const std::string& script);
  host::Facts probe(const host::Configuration& wanted) { return passes_.probe(wanted); }
  /// A correction that takes longer counts as lost.
  Pass converge(const host::Configuration& wanted, std::chrono::seconds longest = std::chrono::seconds{240});
  /// On a new session: that the host can be reached is what is confirmed.
  int confirm(const Pass& pass);
  /// Whether somebody can log in anew within so many seconds.
  bool lets_in(std::chrono::seconds longest);
  /// Fails the test if it is not back in time.
  void wait_until_it_lets_in();
  void restart();
  /// How long a script takes here that does nothing on a session of its own: what load makes of it.
  std::chrono::seconds time_of_a_script();

  /// "ssh-ed25519 AAAA…" of the key that Nimbus has here.
  const std::string& own_key() const { return own_key_; }

 private:
  void make_keys();
  void start();
  void wait_for_start();
  void stop() noexcept;

  const base::SystemClock clock_;
  std::filesystem::path folder_;
  std::string own_key_, address_;
  pid_t emulator_ = -1;
  std::unique_ptr<HostDriver> driver_;
  std::unique_ptr<Host> host_;
  std::chrono::seconds longest_{240};
  Passes passes_;
};

/// The machine of this process, started by main().
Machine& machine();

}  // namespace nimbus::test
