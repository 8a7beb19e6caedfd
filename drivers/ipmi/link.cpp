#include "drivers/ipmi/link.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/net/socket.hpp"

namespace nimbus::ipmi {
namespace {

using std::chrono::steady_clock;

constexpr int kIdleTransmissions = 3;  // on a session that may be gone
constexpr int kBusyRepeats = 3;
constexpr std::chrono::milliseconds kBusyWait{250};
constexpr std::chrono::milliseconds kOpeningSpacing{100};
constexpr int kBelievedRefusals = 2;  // ICMP messages that say "port closed"
constexpr int kPacketsPerWakeUp = 16;
constexpr int kSilentRequestsOfDeadSession = 2;
constexpr std::chrono::seconds kMostLate{1};  // a timer later than that: this process was stopped

Request privilege_request(IpmiPrivilege privilege) {
  return {.net_fn = NetFn::App,
          .command = 0x3B,  // section 22.18
          .data = {privilege_number(privilege)},
          .name = "Set Session Privilege Level"};
}

}  // namespace

Link::~Link() {
  disarm();
  close_socket();
}

// ---- operations

void Link::open(Login login, const base::SocketAddress& peer, MonoTime deadline, OpenDone done) {
  abandon_all();
  session_.reset();
  peer_ = peer;
  deadline_ = deadline;
  spacing_ = login.quirks.spacing;
  open_done_ = std::move(done);
  handshake_.reset();  // it refers to the old login
  login_ = std::move(login);
  openings_ = 0;
  refusals_ = 0;
  if (auto opened = open_socket(); !opened) return finish_open(std::move(opened.error()));
  start_handshake();
}

void Link::send(Request request, Repeat repeat, MonoTime deadline, SendDone done) {
  abandon_all();
  if (!session_) return done(Error{Code::Conflict, "there is no session with the BMC"});
  deadline_ = deadline;
  send_done_ = std::move(done);
  activity_ = Activity::Requesting;
  refusals_ = 0;
  times_busy_ = 0;
  begin_request(std::move(request), repeat);
}

void Link::close(MonoTime deadline, OpenDone done) {
  if (!session_) {
    close_socket();
    return done({});
  }
  const auto patience = std::min<MonoTime>(deadline, steady_clock::now() + kFirstWait);
  send(session_->close_request(), Repeat::Never, patience, [this, done = std::move(done)](const Result<Reply>&) {
    session_.reset();
    close_socket();
    done({});
  });
}

void Link::send_sol(Bytes payload) {
  if (session_ && socket_) (void)base::send_some(socket_, session_->seal(PayloadType::Sol, payload)).has_value();
}

void Link::forget() {
  abandon_all();
  session_.reset();
  close_socket();
}

void Link::abandon_all() {
  // A completion may have started the next operation by itself.
  while (activity_ != Activity::Idle) finish(Error{Code::Cancelled, "another operation began"});
}

void Link::abandon(Error error) {
  if (activity_ != Activity::Idle) finish(std::move(error));
}

// ---- opening

Result<> Link::open_socket() {
  close_socket();
  auto socket = base::connect_udp(peer_);
  if (!socket) return std::move(socket.error());
  socket_ = std::move(*socket);
  return loop_.watch(socket_.get(), base::Interest::Read, [this](base::Ready) { on_readable(); });
}

void Link::close_socket() {
  if (!socket_) return;
  loop_.unwatch(socket_.get());
  socket_.reset();
}

void Link::start_handshake() {
  ++openings_;
  activity_ = Activity::Handshaking;
  handshake_.emplace(*login_, Nonce::make());
  transmissions_ = 0;
  transmit();
}

void Link::raise_privilege() {
  guid_ = handshake_->exchange().bmc_guid;
  session_.emplace(handshake_->exchange(), handshake_->keys(), login_->quirks.checksums);
  handshake_.reset();
  last_heard_ = steady_clock::now();
  silent_requests_ = 0;
  activity_ = Activity::RaisingPrivilege;
  begin_request(privilege_request(login_->privilege), Repeat::WhileUnanswered);
}

void Link::opening_failed(Error error) {
  session_.reset();
  const bool in_time = steady_clock::now() + kOpeningSpacing < deadline_;
  if (openings_ >= kOpenings || !in_time) return finish_open(std::move(error));
  disarm();
  handshake_.reset();
  activity_ = Activity::Handshaking;
  timer_ = loop_.start_timer(kOpeningSpacing, [this] {
    timer_ = base::EventLoop::TimerId::None;
    start_handshake();
  });
}

// ---- sending

void Link::begin_request(Request request, Repeat repeat) {
  request_ = std::move(request);
  repeat_ = repeat;
  sequence_ = (sequence_ + 1) & 0x3FU;
  message_ = encode_request(request_, sequence_);
  transmissions_ = 0;
  const auto now = steady_clock::now();
  const auto earliest = last_sent_ + spacing_;
  if (spacing_.count() != 0 && now < earliest) {
    waiting_to_send_ = true;
    return arm(earliest - now);
  }
  transmit();
}

void Link::transmit() {
  waiting_to_send_ = false;
  if (activity_ == Activity::Requesting && transmissions_ == 0 && steady_clock::now() > request_.leave_by)
    return finish_send(
        Error{Code::Conflict, fmt::format("{} came too late to be sent; nothing was sent", request_.name)});
  const bool once = activity_ == Activity::Requesting && repeat_ == Repeat::Never;
  if (transmissions_ == 0) wait_ = once ? kPatienceOnce : kFirstWait;
  ++transmissions_;
  last_sent_ = steady_clock::now();
  const bool setup = activity_ == Activity::Handshaking;
  const auto sent =
      base::send_some(socket_, setup ? handshake_->packet() : session_->seal(PayloadType::IpmiMessage, message_));
  arm(wait_);
  // A full send buffer is like a lost packet. A closed port shows here or on reading.
  if (!sent) on_refused(sent.error());
}

void Link::arm(std::chrono::nanoseconds delay) {
  disarm();
  const auto when = std::min<MonoTime>(steady_clock::now() + delay, deadline_);
  due_ = when;
  timer_ = loop_.start_timer(when, [this] {
    timer_ = base::EventLoop::TimerId::None;
    on_silence();
  });
}

void Link::disarm() { loop_.cancel_timer(std::exchange(timer_, base::EventLoop::TimerId::None)); }

void Link::on_silence() {
  const auto now = steady_clock::now();
  if (now >= deadline_) return on_no_answer();
  if (waiting_to_send_) return transmit();
  if (transmissions_ >= most_transmissions(now)) return on_no_answer();
  const bool guarded = activity_ == Activity::Requesting && request_.leave_by != MonoTime::max();
  if (guarded && now - due_ > kMostLate) return on_no_answer();  // it may be somebody else's turn by now
  wait_ = std::min(wait_ * 2, kLongestWait);
  transmit();
}

int Link::most_transmissions(MonoTime now) const {
  if (activity_ == Activity::Requesting) {
    if (repeat_ == Repeat::Never) return 1;
    return now - last_heard_ > kSurelyAlive ? kIdleTransmissions : kTransmissions;
  }
  const bool heard = !handshake_ || handshake_->step() != Handshake::Step::Capabilities;
  if (!heard && login_ && login_->patience == Patience::Short) return kTransmissionsToDead;
  return heard ? kTransmissionsWhileOpening : kTransmissions;
}

Error Link::silence_error() const {
  const std::string_view what = handshake_ ? Handshake::name_of(handshake_->step()) : request_.name;
  return Error{Code::Timeout, fmt::format("no answer from {} to {}", peer_.text(), what)};
}

void Link::on_no_answer() {
  auto error = silence_error();
  switch (activity_) {
    case Activity::Idle:
      return;
    case Activity::Handshaking:
      // Nobody there: trying again would only take longer. Silence in the middle may be
      // a BMC that lost its half of the handshake.
      if (!handshake_ || handshake_->step() == Handshake::Step::Capabilities) return finish_open(std::move(error));
      return opening_failed(std::move(error));
    case Activity::RaisingPrivilege:
      return opening_failed(std::move(error));
    case Activity::Requesting:
      // One packet without an answer may be loss; more mean that the session is gone.
      if (++silent_requests_ >= kSilentRequestsOfDeadSession || transmissions_ > 1 || repeat_ == Repeat::Never) {
        session_.reset();
      }
      return finish_send(std::move(error));
  }
}

void Link::on_refused(const Error& error) {
  if (activity_ == Activity::Idle) return;
  const bool once = activity_ == Activity::Requesting && repeat_ == Repeat::Never;
  if (++refusals_ < kBelievedRefusals && !once) return;
  Error refused{error.code, fmt::format("{} ({})", error.message, peer_.text())};
  if (error.code == Code::Unreachable)
    refused.message = fmt::format("no BMC at {}: its port is closed or it has no route", peer_.text());
  session_.reset();
  finish(std::move(refused));
}

// ---- receiving

void Link::on_readable() {
  std::array<std::uint8_t, kMaxPacketBytes + 1> room;
  for (int i = 0; i < kPacketsPerWakeUp && socket_; ++i) {
    const int before = socket_.get();
    const auto got = base::receive_some(socket_, room);
    if (!got) return on_refused(got.error());
    if (!got->has_value()) return;
    on_packet(Bytes(room).first(**got));
    if (socket_.get() != before) return;
  }
}

void Link::on_packet(Bytes packet) {
  if (activity_ == Activity::Handshaking && handshake_) {
    switch (handshake_->receive(packet)) {
      case Handshake::Event::Ignored:
        return;
      case Handshake::Event::Advanced:
        transmissions_ = 0;
        return transmit();
      case Handshake::Event::Failed:
        return opening_failed(handshake_->failure());
      case Handshake::Event::Done:
        return raise_privilege();
    }
    return;
  }
  if (!session_) return;
  const auto opened = session_->open(packet);
  if (!opened) return;
  last_heard_ = steady_clock::now();
  if (opened->type == PayloadType::Sol) {
    if (const auto handler = sol_handler_) handler(opened->payload);
    return;
  }
  if (opened->type != PayloadType::IpmiMessage) return;
  const auto reply = parse_reply(opened->payload, session_->checksums());
  if (!reply || waiting_to_send_ || !answers(*reply, request_, sequence_)) return;  // late, or to another request
  on_reply(*reply);
}

void Link::on_reply(const ReplyView& reply) {
  silent_requests_ = 0;
  if (activity_ == Activity::RaisingPrivilege) {
    if (reply.completion == kOk) return finish_open({});
    const bool privilege =
        reply.completion == 0x80 || reply.completion == 0x81 || reply.completion == kInsufficientPrivilege;
    return opening_failed(privilege ? Error{Code::Auth, "the user does not have the privilege level that was asked for"}
                                    : completion_error(request_, reply.completion));
  }
  if (activity_ != Activity::Requesting) return;
  if (reply.completion == kNodeBusy && repeat_ == Repeat::WhileUnanswered && times_busy_ < kBusyRepeats) {
    ++times_busy_;
    sequence_ = (sequence_ + 1) & 0x3FU;  // the old number has had its answer
    message_ = encode_request(request_, sequence_);
    transmissions_ = 0;
    waiting_to_send_ = true;
    return arm(kBusyWait * times_busy_);
  }
  finish_send(Reply{.completion = reply.completion, .data = {reply.data.begin(), reply.data.end()}});
}

// ---- finishing: the completion may start the next operation, so it comes last

void Link::finish_open(Result<> result) {
  disarm();
  activity_ = Activity::Idle;
  waiting_to_send_ = false;
  handshake_.reset();
  login_.reset();  // the password is not kept
  if (!result) {
    session_.reset();
    close_socket();
  }
  if (const auto done = std::exchange(open_done_, nullptr)) done(std::move(result));
}

void Link::finish_send(Result<Reply> result) {
  disarm();
  activity_ = Activity::Idle;
  waiting_to_send_ = false;
  wipe(request_.data);  // there may have been a password in it
  wipe(message_);
  if (const auto done = std::exchange(send_done_, nullptr)) done(std::move(result));
}

void Link::finish(Error error) {
  if (activity_ == Activity::Requesting) return finish_send(std::move(error));
  finish_open(std::move(error));
}

}  // namespace nimbus::ipmi
