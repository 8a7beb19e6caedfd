#include "drivers/redfish/shared_session.hpp"

#include <algorithm>
#include <utility>

namespace nimbus::redfish {

using SteadyClock = std::chrono::steady_clock;

/// Has the session while it lives, unless it came to nothing.
class SharedSession::Turn {
 public:
  Turn(SharedSession& session, const Call& call) : session_(session), error_(session.wait_for_turn(call)) {}
  ~Turn() {
    if (error_) session_.end_turn();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  explicit operator bool() const noexcept { return error_.has_value(); }
  const Error& error() const { return error_.error(); }

 private:
  SharedSession& session_;
  const Result<> error_;
};

SharedSession::SharedSession(Session session, std::chrono::milliseconds spacing)
    : session_(std::move(session)), spacing_(spacing) {}

Result<> SharedSession::wait_for_turn(const Call& call) {
  std::unique_lock lock(mutex_);
  const auto is_free = [this] { return !taken_; };
  if (!changed_.wait_until(lock, call.stop, call.deadline, is_free)) {
    if (call.stop.stop_requested()) return Error{Code::Cancelled, "stopped"};
    return Error{Code::Timeout, "another request to this BMC was under way until the deadline; nothing was sent"};
  }
  if (free_at_ > SteadyClock::now()) {
    taken_ = true;  // it is ours while we wait
    changed_.wait_until(lock, call.stop, std::min(free_at_, call.deadline), [] { return false; });
    if (free_at_ > SteadyClock::now()) {
      taken_ = false;
      changed_.notify_all();
      if (call.stop.stop_requested()) return Error{Code::Cancelled, "stopped"};
      return Error{Code::Timeout, "the deadline comes before the next request to this BMC may; nothing was sent"};
    }
  }
  taken_ = true;
  return {};
}

void SharedSession::end_turn() noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (spacing_.count() > 0) free_at_ = SteadyClock::now() + spacing_;
    root_ = session_.known_root();
    if (credential_ != session_.credential()) credential_ = session_.credential();
    how_ = session_.how();
    number_ = session_.number();
    keeps_connection_ = session_.keeps_connection();
    is_open_ = session_.is_open();
    taken_ = false;
  }
  changed_.notify_all();
}

Result<base::ClientResponse> SharedSession::get(std::string_view link, const Call& call) {
  const Turn turn(*this, call);
  if (!turn) return turn.error();
  return session_.get(link, call);
}

tl::expected<base::ClientResponse, base::HttpFailure> SharedSession::write(Session::Write what, unsigned long number,
                                                                           const Call& call) {
  const Turn turn(*this, call);
  if (!turn) return tl::unexpected(base::HttpFailure{{Code::Conflict, turn.error().message}, false});
  if (session_.number() != number)
    return tl::unexpected(
        base::HttpFailure{{Code::Conflict, "the session is another one now; nothing was sent"}, false});
  return session_.write(std::move(what), call);
}

Result<ServiceRoot> SharedSession::root(const Call& call) {
  const Turn turn(*this, call);
  if (!turn) return turn.error();
  return session_.root(call);
}

Result<std::optional<base::HttpHeader>> SharedSession::login_header(const Call& call) {
  const Turn turn(*this, call);
  if (!turn) return turn.error();
  return session_.login_header();
}

void SharedSession::drop() {
  const Turn turn(*this, {.deadline = MonoTime::max()});
  session_.drop();
}

void SharedSession::forget_root() {
  const Turn turn(*this, {.deadline = MonoTime::max()});
  session_.forget_root();
}

void SharedSession::close(const Call& call) noexcept {
  try {
    if (const Turn turn(*this, call); turn) session_.close(call);
  } catch (...) {
    // Out of memory: the session ends by the BMC's own timeout.
  }
}

std::shared_ptr<const ServiceRoot> SharedSession::known_root() const {
  const std::lock_guard lock(mutex_);
  return root_;
}

std::string SharedSession::how() const {
  const std::lock_guard lock(mutex_);
  return how_;
}

std::string SharedSession::credential() const {
  const std::lock_guard lock(mutex_);
  return credential_;
}

}  // namespace nimbus::redfish
