// One session of libssh with one host: connected, key compared, logged in; and scripts in
// it, one at a time.
//
// Nothing of libssh blocks here: its session is in non-blocking mode and every wait is our
// own, with the caller's deadline and stop token. So a host that is silent, drips, floods
// or closes half of a connection ends at the deadline or at the bound.
//
// What libssh 0.10.6 does wrong by itself, and what is done about it: its time limit ends a
// read as if the output had ended (not used; only an end of output that the host told
// counts), no-delay is off (on), configuration files of the user count (off).
//
// Thread rule: one thread at a time.
#pragma once

#include <memory>
#include <string>

#include "base/net/resolver.hpp"
#include "base/net/socket_address.hpp"
#include "core/call.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/host.hpp"
#include "core/result.hpp"
#include "drivers/ssh/keys.hpp"

struct ssh_counter_struct;
struct ssh_session_struct;

namespace nimbus::ssh {

/// What became of a script; `sent`: the host may have run it, wholly or in part.
struct Attempt {
  Result<HostAnswer> answer = Error{Code::Internal, "not tried"};
  bool sent = false;
};

/// Call::write_by has passed.
Error not_sent_in_time();

class Session {
 public:
  /// Errors: those of the port. Nothing is left open on an error.
  static Result<std::unique_ptr<Session>> open(const HostEndpoint& endpoint, const HostKey& host_key, const Key& own,
                                               const Call& call, const Clock& clock, base::Resolver& names);
  /// As open(), as far as the host's proof that it has the pinned key: nobody logs in. An address, not a name.
  static Result<> prove(const std::string& address, const HostKey& host_key, const Call& call, const Clock& clock);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// After an error other than Auth and Conflict the session is of no more use. `open_by`: when at the latest the host
  /// must have opened a channel.
  Attempt run(const HostScript& script, const Call& call, MonoTime open_by);

 private:
  struct Free {
    void operator()(ssh_session_struct* session) const noexcept;
  };
  Session(std::string user, const Clock& clock, base::Resolver* names);

  /// Connected, and the key compared.
  Result<> meet(const std::string& address, const HostKey& host_key, const Call& call);
  Result<> configure(const std::string& host, const HostKey& host_key);
  Result<> connect(const base::HostPort& where, const Call& call);
  Result<> shake_hands(const Call& call);
  Result<> compare_key(const HostKey& pinned);
  Result<> log_in(const Key& own, const Call& call);
  /// For another answer before the login is done.
  Result<> wait_before_login(const Call& call);
  Result<> wait(const Call& call);
  Error lost(std::string_view doing) const;

  const std::string user_;
  const Clock& clock_;
  base::Resolver* const names_;                      // null: addresses only
  const std::unique_ptr<ssh_counter_struct> heard_;  // libssh counts there while session_ lives
  std::unique_ptr<ssh_session_struct, Free> session_;
  friend class Execution;
};

}  // namespace nimbus::ssh
