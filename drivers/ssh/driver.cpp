#include "drivers/ssh/driver.hpp"

#include <atomic>
#include <mutex>
#include <utility>

#include "base/net/socket_address.hpp"
#include "drivers/ssh/keys.hpp"
#include "drivers/ssh/session.hpp"

namespace nimbus::ssh {
namespace {

/// A kept session may be dead without our knowing: how long it may take to open a channel.
constexpr std::chrono::seconds kKeptPatience{5};

class SshHost final : public Host {
 public:
  SshHost(HostEndpoint endpoint, HostKey key, const SshOptions& options, const Clock& clock, base::Resolver& names)
      : endpoint_(std::move(endpoint)), key_(std::move(key)), options_(options), clock_(clock), names_(names) {}

  Result<HostAnswer> run(const HostScript& script, const Call& call) override {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock) return Error{Code::Busy, "another script runs on this host"};
    if (clock_.now() > call.write_by) return not_sent_in_time();
    const bool kept = session_ != nullptr;
    if (kept) {
      auto attempt = try_run(script, call, clock_.now() + kKeptPatience);
      const bool over = attempt.answer.has_value() || attempt.sent || attempt.answer.error().code == Code::Cancelled ||
                        attempt.answer.error().code == Code::Conflict;
      if (over) return std::move(attempt.answer);
    }
    if (auto opened = open(call); !opened) return std::move(opened.error()).with(where());
    return std::move(try_run(script, call, call.deadline).answer);
  }

  unsigned long session() const noexcept override { return sessions_; }

  void close(const Call&) noexcept override {
    const std::lock_guard lock(mutex_);
    session_.reset();
  }

 private:
  Result<> open(const Call& call) {
    auto own = read_own_key(options_);
    if (!own) return std::move(own.error());
    auto session = Session::open(endpoint_, key_, *own, call, clock_, names_);
    if (!session) return std::move(session.error());
    session_ = std::move(*session);
    ++sessions_;
    return {};
  }

  Attempt try_run(const HostScript& script, const Call& call, MonoTime open_by) {
    Attempt attempt = session_->run(script, call, open_by);
    if (!attempt.answer) {
      // A refusal by sudo leaves the session in order, and so does a script that was not sent; anything else does not.
      const Code code = attempt.answer.error().code;
      if (code != Code::Auth && code != Code::Conflict) session_.reset();
      attempt.answer.error().with(where());
    }
    return attempt;
  }

  std::string where() const { return "on " + endpoint_.user + "@" + endpoint_.address; }

  const HostEndpoint endpoint_;
  const HostKey key_;
  const SshOptions& options_;
  const Clock& clock_;
  base::Resolver& names_;
  std::mutex mutex_;
  std::unique_ptr<Session> session_;
  std::atomic<unsigned long> sessions_{0};
};

class SshDriver final : public HostDriver {
 public:
  SshDriver(SshOptions options, const Clock& clock, base::Resolver::Lookup lookup)
      : options_(std::move(options)), clock_(clock), names_(std::move(lookup)) {}

  Result<std::unique_ptr<Host>> attach(const HostEndpoint& endpoint) override {
    if (auto where = base::parse_host_port(endpoint.address, 22); !where) return std::move(where.error());
    if (endpoint.user.empty()) return Error{Code::Invalid, "no user to log in as"};
    auto key = parse_host_key(endpoint.host_key);
    if (!key) return std::move(key.error()).with("while reading the host key of " + endpoint.address);
    return std::unique_ptr<Host>(new SshHost(endpoint, std::move(*key), options_, clock_, names_));
  }

 private:
  const SshOptions options_;
  const Clock& clock_;
  base::Resolver names_;
};

}  // namespace

Result<std::unique_ptr<HostDriver>> make_ssh_driver(const SshOptions& options, const Clock& clock,
                                                    base::Resolver::Lookup lookup) {
  if (auto own = read_own_key(options); !own) return std::move(own.error());
  return std::unique_ptr<HostDriver>(new SshDriver(options, clock, std::move(lookup)));
}

}  // namespace nimbus::ssh
