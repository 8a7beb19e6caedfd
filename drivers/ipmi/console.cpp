#include "drivers/ipmi/console.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "drivers/ipmi/device.hpp"
#include "drivers/ipmi/sol.hpp"

namespace nimbus::ipmi {
namespace {

constexpr std::size_t kMaxUnread = 1U << 20U;  // then the BMC has to wait
constexpr std::chrono::milliseconds kFirstPause{250};
constexpr std::chrono::milliseconds kLongestPause{1000};
constexpr int kTransmissions = 12;
// A session that nobody uses ends at the BMC, after 30 s at some.
constexpr std::chrono::seconds kKeepAlive{15};
constexpr std::chrono::seconds kKeepAlivePatience{10};
constexpr std::chrono::seconds kFarewell{1};

Request payload_request(std::uint8_t command, std::string_view name, std::uint8_t auxiliary) {
  return {.net_fn = NetFn::App, .command = command, .data = {0x01, 0x01, auxiliary, 0, 0, 0}, .name = name};
}
Request activate_request() {
  // Encrypted, authenticated, alerts on the serial line put off (section 24.1).
  return payload_request(0x48, "Activate Payload", 0x80 | 0x40 | 0x04);
}
Request deactivate_request() { return payload_request(0x49, "Deactivate Payload", 0); }

/// What the loop's thread and the console's thread share.
struct Mailbox {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::string unread;
  bool all_written = true;
  std::optional<Error> ended;
};

/// The half that lives on the loop's thread.
class Stream : public std::enable_shared_from_this<Stream> {
 public:
  Stream(Engine& engine, std::shared_ptr<Link> link, std::shared_ptr<Mailbox> mailbox)
      : engine_(engine), link_(std::move(link)), mailbox_(std::move(mailbox)) {}

  void listen() {
    link_->on_sol([weak = weak_from_this()](Bytes payload) {
      if (const auto self = weak.lock()) self->on_payload(payload);
    });
  }
  void start(std::size_t most) {
    channel_ = SolChannel(most);
    keep_alive_later();
  }
  void stop() {
    link_->on_sol({});
    stop_timer(repeat_);
    stop_timer(alive_);
    ended_ = true;
  }

  void write(std::string_view characters) {
    channel_.put(characters);
    send_next();
  }
  void write_break() {
    channel_.put_break();
    send_next();
  }
  void discard() {
    channel_.discard();
    stop_timer(repeat_);
  }

 private:
  void on_payload(Bytes payload) {
    if (ended_) return;
    std::size_t room = 0;
    {
      const std::lock_guard lock(mailbox_->mutex);
      room = kMaxUnread - std::min(kMaxUnread, mailbox_->unread.size());
    }
    auto got = channel_.receive(payload, room);
    if (!got) return;
    if (got->reply) link_->send_sol(*got->reply);
    if (!got->characters.empty()) {
      {
        const std::lock_guard lock(mailbox_->mutex);
        mailbox_->unread += got->characters;
      }
      mailbox_->changed.notify_all();
    }
    if (got->ended) return end(Error{Code::Conflict, "the BMC ended the console: somebody else took it"});
    if (got->acknowledged) send_next();
  }

  void send_next() {
    if (ended_) return;
    if (const auto packet = channel_.next()) {
      transmissions_ = 0;
      pause_ = kFirstPause;
      transmit(*packet);
    } else if (channel_.all_acknowledged()) {
      stop_timer(repeat_);
      {
        const std::lock_guard lock(mailbox_->mutex);
        mailbox_->all_written = true;
      }
      mailbox_->changed.notify_all();
    }
  }

  void transmit(const Packet& packet) {
    ++transmissions_;
    link_->send_sol(packet);
    stop_timer(repeat_);
    repeat_ = engine_.start_timer(pause_, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->on_silence();
    });
    pause_ = std::min(pause_ * 2, kLongestPause);
  }

  void on_silence() {
    repeat_ = base::EventLoop::TimerId::None;
    const auto packet = channel_.again();
    if (!packet) return;
    if (transmissions_ >= kTransmissions) return end(Error{Code::Timeout, "the BMC does not take what was typed"});
    transmit(*packet);
  }

  void keep_alive_later() {
    alive_ = engine_.start_timer(kKeepAlive, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->keep_alive();
    });
  }
  void keep_alive() {
    link_->send(device_id_request(), Repeat::WhileUnanswered, std::chrono::steady_clock::now() + kKeepAlivePatience,
                [weak = weak_from_this()](const Result<Reply>& reply) {
                  const auto self = weak.lock();
                  if (!self || self->ended_) return;
                  if (reply) return self->keep_alive_later();
                  self->end(Error(reply.error()).with("while keeping the console's session"));
                });
  }

  void end(Error error) {
    if (ended_) return;
    stop();
    {
      const std::lock_guard lock(mailbox_->mutex);
      mailbox_->ended = std::move(error);
    }
    mailbox_->changed.notify_all();
  }
  void stop_timer(base::EventLoop::TimerId& timer) {
    engine_.cancel_timer(std::exchange(timer, base::EventLoop::TimerId::None));
  }

  Engine& engine_;
  std::shared_ptr<Link> link_;
  std::shared_ptr<Mailbox> mailbox_;
  SolChannel channel_{kMaxSolCharacters};
  base::EventLoop::TimerId repeat_ = base::EventLoop::TimerId::None;
  base::EventLoop::TimerId alive_ = base::EventLoop::TimerId::None;
  std::chrono::milliseconds pause_ = kFirstPause;
  int transmissions_ = 0;
  bool ended_ = false;
};

class SolConsole final : public ConsoleSession {
 public:
  SolConsole(Engine& engine, std::unique_ptr<Client> client, std::shared_ptr<Stream> stream,
             std::shared_ptr<Mailbox> mailbox)
      : engine_(engine), client_(std::move(client)), stream_(std::move(stream)), mailbox_(std::move(mailbox)) {}
  ~SolConsole() override { close({.deadline = std::chrono::steady_clock::now() + kFarewell}); }

  Result<std::string> read(const Call& call) override {
    std::unique_lock lock(mailbox_->mutex);
    mailbox_->changed.wait_until(lock, call.stop, call.deadline,
                                 [&] { return !mailbox_->unread.empty() || mailbox_->ended.has_value(); });
    if (!mailbox_->unread.empty()) return std::exchange(mailbox_->unread, {});
    return why_not(call, "nothing came from the console");
  }

  Result<void> write(std::string_view bytes, const Call& call) override {
    return put(call, [text = std::string(bytes)](Stream& stream) { stream.write(text); });
  }
  Result<void> send_break(const Call& call) override {
    return put(call, [](Stream& stream) { stream.write_break(); });
  }

  void close(const Call& call) noexcept override {
    if (!client_) return;
    engine_.post([stream = stream_] { stream->stop(); });
    const auto patience = std::min(call.deadline, std::chrono::steady_clock::now() + kFarewell);
    (void)client_->tell(deactivate_request(), Repeat::WhileUnanswered, {.deadline = patience, .stop = call.stop})
        .has_value();
    client_->close({.deadline = patience, .stop = call.stop});
    client_.reset();
    const std::lock_guard lock(mailbox_->mutex);
    if (!mailbox_->ended) mailbox_->ended = Error{Code::Conflict, "the console is closed"};
  }

 private:
  template <class Task>
  Result<void> put(const Call& call, Task task) {
    std::unique_lock lock(mailbox_->mutex);
    if (mailbox_->ended) return *mailbox_->ended;
    mailbox_->all_written = false;
    engine_.post([stream = stream_, task = std::move(task)] { task(*stream); });
    mailbox_->changed.wait_until(lock, call.stop, call.deadline,
                                 [&] { return mailbox_->all_written || mailbox_->ended.has_value(); });
    if (mailbox_->all_written) return {};
    engine_.post([stream = stream_] { stream->discard(); });
    return why_not(call, "the BMC has not taken all of what was typed");
  }

  /// With the mailbox locked.
  Error why_not(const Call& call, const char* late) const {
    if (mailbox_->ended) return *mailbox_->ended;
    if (call.stop.stop_requested()) return Error{Code::Cancelled, "stopped while waiting for the console"};
    return Error{Code::Timeout, late};
  }

  Engine& engine_;
  std::unique_ptr<Client> client_;
  std::shared_ptr<Stream> stream_;
  std::shared_ptr<Mailbox> mailbox_;
};

Error activation_error(std::uint8_t completion) {
  switch (completion) {
    case 0x80:
      return Error{Code::Busy, "somebody else holds the console"};
    case 0x81:
      return Error{Code::Unsupported, "the BMC has serial over LAN switched off, for this user or at all"};
    case 0x82:
      return Error{Code::Busy, "the BMC has no free console"};
    case 0x83:
      return Error{Code::Unsupported, "the BMC has no encrypted console"};
    default:
      return completion_error(activate_request(), completion);
  }
}

}  // namespace

Result<std::unique_ptr<ConsoleSession>> open_sol(Engine& engine, std::unique_ptr<Client> client, const Call& call) {
  if (auto opened = client->connect(call); !opened) return std::move(opened.error());
  const auto mailbox = std::make_shared<Mailbox>();
  const auto stream = std::make_shared<Stream>(engine, client->link(), mailbox);
  engine.post([stream] { stream->listen(); });  // the first characters come with the answer
  const auto reply = client->tell(activate_request(), Repeat::Never, call);
  std::optional<Error> problem;
  if (!reply) {
    problem = reply.error();
  } else if (reply->completion != kOk) {
    problem = activation_error(reply->completion);
  } else if (const auto activation = parse_activation(reply->data)) {
    engine.post([stream, most = activation->most_characters] { stream->start(most); });
    return std::unique_ptr<ConsoleSession>(new SolConsole(engine, std::move(client), stream, mailbox));
  } else {
    problem = Error{Code::Corrupt, "Activate Payload: an answer that is too short"};
  }
  engine.post([stream] { stream->stop(); });
  client->close({.deadline = std::chrono::steady_clock::now() + kFarewell});
  return std::move(*problem);
}

}  // namespace nimbus::ipmi
