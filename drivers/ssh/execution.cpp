// A script in a session: sent on standard input, both outputs taken as they come, until the host
// has told the end of the output and what became of the shell.
#include <algorithm>
#include <optional>
#include <utility>

#include <libssh/callbacks.h>
#include <libssh/libssh.h>

#include "base/text/text.hpp"
#include "drivers/ssh/session.hpp"

namespace nimbus::ssh {
namespace {

/// The shell's first word, on standard error: before it, whatever is said is said by a
/// login shell or by sudo, and without it the script did not begin.
constexpr std::string_view kBegin = "nimbus-shell-begins";
constexpr std::string_view kPreamble = "echo nimbus-shell-begins >&2\n";
/// For what is said before that word.
constexpr std::size_t kMostChatter = 64 * 1024;
constexpr std::size_t kPiece = 32 * 1024;

struct ChannelFree {
  void operator()(ssh_channel channel) const noexcept { ssh_channel_free(channel); }
};
using Channel = std::unique_ptr<ssh_channel_struct, ChannelFree>;

Error refused(const std::string& user, bool by_sudo, const std::string& said) {
  const std::string quoted = base::printable(base::trim(said), 200);
  if (by_sudo) {
    return {Code::Auth, "sudo did not let \"" + user + "\" become root without a password (" + quoted +
                            "): sudoers must have a line like \"" + user + " ALL=(ALL:ALL) NOPASSWD: ALL\""};
  }
  return {Code::Auth, "the account \"" + user + "\" runs no shell for us (" + quoted + ")"};
}

}  // namespace

class Execution {
 public:
  Execution(Session& session, const HostScript& script, const Call& call)
      : owner_(session),
        session_(session.session_.get()),
        script_(script),
        call_(call),
        by_sudo_(script.as_root && session.user_ != "root"),
        input_(std::string(kPreamble).append(script.text)) {
    callbacks_.userdata = this;
    callbacks_.channel_data_function = [](ssh_session, ssh_channel, void* data, std::uint32_t size, int of_errors,
                                          void* self) {
      of(self).receive({static_cast<const char*>(data), size}, of_errors != 0);
      return static_cast<int>(size);
    };
    callbacks_.channel_eof_function = [](ssh_session, ssh_channel, void* self) {
      of(self).told_end_ = true;
      ++of(self).heard_;
    };
    callbacks_.channel_exit_status_function = [](ssh_session, ssh_channel, int status, void* self) {
      of(self).status_ = status;
      ++of(self).heard_;
    };
    callbacks_.channel_exit_signal_function = [](ssh_session, ssh_channel, const char*, int, const char*, const char*,
                                                 void* self) {
      of(self).status_ = -1;
      ++of(self).heard_;
    };
    ssh_callbacks_init(&callbacks_);
  }
  /// A channel that the host has not closed outlives this inside of libssh.
  ~Execution() {
    if (channel_) (void)ssh_remove_channel_callbacks(channel_.get(), &callbacks_);
  }
  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;

  Attempt take(MonoTime open_by) {
    if (auto opened = open(open_by); !opened) return {std::move(opened.error()), false};
    auto talked = talk();
    if (!talked) return {std::move(talked.error()), sent_ > 0};
    return {finish(), true};
  }

 private:
  Result<> open(MonoTime open_by) {
    channel_.reset(ssh_channel_new(session_));
    if (!channel_) return owner_.lost("while opening a channel");
    if (ssh_set_channel_callbacks(channel_.get(), &callbacks_) != SSH_OK) {
      return Error{Code::Internal, "libssh takes no callbacks"};
    }
    const Call call{std::min(call_.deadline, open_by), call_.stop};
    if (auto opened =
            until([this] { return ssh_channel_open_session(channel_.get()); }, call, "while opening a channel");
        !opened)
      return opened;
    const char* command = by_sudo_ ? "exec sudo -n /bin/sh -s" : "exec /bin/sh -s";
    return until([this, command] { return ssh_channel_request_exec(channel_.get(), command); }, call,
                 "while starting a shell");
  }

  template <class Step>
  Result<> until(Step step, const Call& call, std::string_view doing) {
    for (;;) {
      const int result = step();
      if (result == SSH_OK) return {};
      if (result != SSH_AGAIN) return owner_.lost(doing);
      if (auto ready = owner_.wait(call); !ready) return std::move(ready.error()).with(std::string(doing));
    }
  }

  /// Both directions, until everything is told. Whatever libssh does may hear packets, and calls back: only when
  /// nothing was heard since the last look is it right to wait for the socket.
  Result<> talk() {
    for (;;) {
      const std::size_t heard = heard_;
      auto wrote = send();
      if (!wrote) return std::move(wrote.error());
      if (!listen()) return broken();
      if (too_much_) {
        return Error{Code::Corrupt, "the script says more than " + std::to_string(script_.most_output) + " bytes"};
      }
      if (status_ && told_end_) return {};
      if (ssh_channel_is_closed(channel_.get()) != 0 || ssh_is_connected(session_) == 0) return broken();
      if (*wrote || heard != heard_) {
        // Whoever never stops to talk must not outlive the deadline.
        if (call_.stop.stop_requested()) return Error{Code::Cancelled, "stopped while a script ran"};
        if (call_.remaining(owner_.clock_.now()).count() > 0) continue;
        return too_late();
      }
      if (auto ready = owner_.wait(call_); !ready) {
        if (ready.error().code == Code::Timeout) return too_late();
        return std::move(ready.error()).with("while a script ran");
      }
    }
  }

  /// Once the output has ended ssh_channel_poll() does not listen any more, but the exit status may come after it.
  bool listen() {
    if (!told_end_) return ssh_channel_poll(channel_.get(), 0) != SSH_ERROR;
    (void)ssh_channel_get_exit_status(channel_.get());
    return true;
  }

  static Execution& of(void* self) { return *static_cast<Execution*>(self); }

  void receive(std::string_view piece, bool of_errors) {
    std::string& into = of_errors ? errors_ : output_;
    const std::size_t most = script_.most_output + (of_errors ? kMostChatter : 0);
    ++heard_;
    too_much_ = too_much_ || into.size() + piece.size() > most;
    if (!too_much_) into.append(piece);
  }

  Result<bool> send() {
    if (ended_) return false;
    // A shell that hears nothing does nothing.
    if (sent_ == 0 && owner_.clock_.now() > call_.write_by) return not_sent_in_time();
    if (sent_ < input_.size()) {
      const std::size_t window = ssh_channel_window_size(channel_.get());
      const std::size_t size = std::min({input_.size() - sent_, window, kPiece});
      if (size == 0 || status_) return false;
      const int count = ssh_channel_write(channel_.get(), input_.data() + sent_, static_cast<std::uint32_t>(size));
      if (count == SSH_ERROR) return broken();
      sent_ += static_cast<std::size_t>(count);
      return count > 0;
    }
    ended_ = true;
    if (ssh_channel_send_eof(channel_.get()) == SSH_ERROR) return broken();
    return true;
  }

  Error broken() const {
    const Error why = owner_.lost("while a script ran");
    if (sent_ == 0) return why;
    return {Code::Timeout,
            "the connection ended while the script ran: it may have run wholly or in part (" + why.message + ")"};
  }
  static Error too_late() {
    return {Code::Timeout, "the script did not end within the deadline: it may have run wholly or in part"};
  }

  Result<HostAnswer> finish() {
    const auto begin = errors_.find(kBegin);
    if (begin == std::string::npos) return refused(owner_.user_, by_sudo_, errors_.empty() ? output_ : errors_);
    errors_.erase(0, std::min(errors_.size(), begin + kBegin.size() + 1));
    return HostAnswer{*status_, std::move(output_), std::move(errors_)};
  }

  Session& owner_;
  const ssh_session session_;
  const HostScript& script_;
  const Call& call_;
  const bool by_sudo_;
  const std::string input_;
  std::size_t sent_ = 0;
  bool ended_ = false;
  std::size_t heard_ = 0;  // counts
  std::optional<int> status_;
  bool told_end_ = false;
  bool too_much_ = false;
  std::string output_, errors_;
  ssh_channel_callbacks_struct callbacks_{};
  Channel channel_;
};

Error not_sent_in_time() {
  return {Code::Conflict, "the script was not sent: that was permitted until a moment ago, and not any more"};
}

Attempt Session::run(const HostScript& script, const Call& call, MonoTime open_by) {
  return Execution(*this, script, call).take(open_by);
}

}  // namespace nimbus::ssh
