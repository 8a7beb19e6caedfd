#include "simulator/http/connection.hpp"

#include <algorithm>
#include <array>

namespace nimbus::simulator::http {
namespace {

constexpr std::size_t kReadSize = 16 * 1024;
constexpr auto kDripTick = std::chrono::milliseconds(100);
constexpr std::size_t kTicksPerSecond = 10;

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace

Connection::Connection(Server& server, base::FileDescriptor socket, base::SocketAddress peer, ListenerTag tag,
                       const base::TlsServerContext* tls)
    : server_(&server),
      socket_(std::move(socket)),
      peer_(peer),
      tag_(tag),
      last_used_(std::chrono::steady_clock::now()) {
  if (tls != nullptr) tls_.emplace(*tls, socket_.get());
}

Connection::~Connection() {
  server_->loop_->cancel_timer(timer_);
  server_->loop_->unwatch(socket_.get());
  if (stream_) server_->stream_ended(*this, *stream_);
  if (tls_) tls_->shutdown();
}

bool Connection::overdue(MonoTime now) const noexcept {
  const Server::Limits& limits = server_->limits_;
  if (answering_) return sent_ < allowed_ && now - moved_ > limits.unread;
  if (request_began_ && now - *request_began_ > limits.request) return true;
  return now - last_used_ > limits.idle;
}

Connection::Io Connection::read_some() {
  std::array<std::uint8_t, kReadSize> room;  // NOLINT: filled by the read
  std::size_t size = 0;
  if (tls_) {
    const auto got = tls_->read(room);
    using Outcome = base::TlsProgress::Outcome;
    if (got.outcome == Outcome::WantRead || got.outcome == Outcome::WantWrite) {
      wait_for(got.outcome == Outcome::WantWrite ? base::Interest::ReadWrite : base::Interest::Read);
      return Io::Blocked;
    }
    if (got.outcome != Outcome::Moved) return Io::Ended;
    size = got.bytes;
  } else {
    const auto got = base::receive_some(socket_, room);
    if (!got) return Io::Ended;
    if (!*got) return Io::Blocked;
    if (**got == 0) return Io::Ended;
    size = **got;
  }
  if (parser_.idle()) request_began_ = std::chrono::steady_clock::now();
  parser_.feed({reinterpret_cast<const char*>(room.data()), size});
  return Io::Moved;
}

Connection::Io Connection::write_some() {
  const auto rest = std::string_view(output_).substr(sent_, allowed_ - sent_);
  if (rest.empty()) return Io::Blocked;
  if (tls_) {
    const auto put = tls_->write(bytes_of(rest));
    using Outcome = base::TlsProgress::Outcome;
    if (put.outcome == Outcome::WantRead || put.outcome == Outcome::WantWrite) return Io::Blocked;
    if (put.outcome != Outcome::Moved) return Io::Ended;
    sent_ += put.bytes;
  } else {
    const auto put = base::send_some(socket_, bytes_of(rest));
    if (!put) return Io::Ended;
    if (!*put) return Io::Blocked;
    sent_ += **put;
  }
  moved_ = std::chrono::steady_clock::now();
  return Io::Moved;
}

void Connection::wait_for(base::Interest interest) {
  if (interest == interest_) return;
  interest_ = interest;
  static_cast<void>(server_->loop_->modify(socket_.get(), interest));
}

bool Connection::read_all() {
  // One read usually takes it all; more only if a TLS record is still buffered.
  for (int round = 0; round < 4; ++round) {
    const Io io = read_some();
    if (io == Io::Ended) return false;
    if (io == Io::Blocked || !tls_) return true;
    if (parser_.state() == RequestParser::State::Complete) return true;
  }
  return true;
}

bool Connection::publish(std::string_view text) {
  constexpr std::size_t kMostUnread = 256 * 1024;
  if (output_.size() - sent_ + text.size() > kMostUnread) return false;
  if (sent_ == output_.size()) moved_ = std::chrono::steady_clock::now();
  output_ += text;
  if (timer_ == base::EventLoop::TimerId::None) allowed_ = output_.size();
  return flush();
}

bool Connection::progress(base::Ready ready) {
  if (stream_ && (ready.readable || ready.failed)) {  // nothing is expected but its end
    if (!read_all()) return false;
    return flush();
  }
  if (answering_ && ready.readable && !ready.failed) {
    // The client talks while it is being answered, or left: stop looking until we are done.
    if (sent_ < allowed_ || timer_ != base::EventLoop::TimerId::None) wait_for(base::Interest::Write);
  } else if (ready.readable || ready.failed) {
    if (!read_all()) return false;
  }
  if (!flush()) return false;
  return answer_requests();
}

bool Connection::answer_requests() {
  while (!answering_) {
    if (parser_.state() == RequestParser::State::Broken) {
      Request nothing{.keep_alive = false};
      begin({.status = parser_.refusal(), .after = Response::After::Close}, nothing);
      return flush();
    }
    if (parser_.state() != RequestParser::State::Complete) return true;
    const Request request = parser_.take();
    request_began_.reset();
    last_used_ = std::chrono::steady_clock::now();
    ++server_->served_;
    Response response = server_->handler_(request, Visit{tag_, &peer_});
    if (response.spoil.drop && response.spoil.delay.count() == 0) return false;
    begin(std::move(response), request);
    if (!flush()) return false;
  }
  return true;
}

void Connection::begin(Response response, const Request& request) {
  answering_ = true;
  moved_ = std::chrono::steady_clock::now();
  output_ = render(response, request);
  sent_ = 0;
  allowed_ = output_.size();
  drip_ = 0;
  close_after_ = !response.stream && (response.after == Response::After::Close || !request.keep_alive);
  if (response.stream) {
    stream_ = response.stream;
    server_->stream_began(*this, *stream_);
  }
  const Spoil& spoil = response.spoil;
  if (spoil.truncate_after) {
    output_.resize(std::min(output_.size(), *spoil.truncate_after));
    allowed_ = output_.size();
    close_after_ = true;
  }
  if (spoil.drop) {
    output_.clear();
    allowed_ = 0;
    close_after_ = true;
  }
  if (spoil.bytes_per_second) {
    drip_ = std::max<std::size_t>(1, *spoil.bytes_per_second / kTicksPerSecond);
    allowed_ = 0;
  }
  if (spoil.delay.count() > 0 || drip_ > 0) {
    const std::size_t all = allowed_;
    allowed_ = 0;
    timer_ = server_->loop_->start_timer(std::max(spoil.delay, std::chrono::milliseconds(1)), [this, all] {
      timer_ = base::EventLoop::TimerId::None;
      moved_ = std::chrono::steady_clock::now();
      allowed_ = all;
      if (drip_ > 0) {
        send_slowly();
      } else {
        resume();
      }
    });
  }
}

void Connection::send_slowly() {
  allowed_ = std::min(output_.size(), allowed_ + drip_);
  if (allowed_ < output_.size()) {
    timer_ = server_->loop_->start_timer(kDripTick, [this] {
      timer_ = base::EventLoop::TimerId::None;
      send_slowly();
    });
  }
  resume();
}

void Connection::resume() {
  if (!flush() || !answer_requests()) server_->close(*this);  // *this is gone
}

bool Connection::flush() {
  if (!answering_) return true;
  while (sent_ < allowed_) {
    const Io io = write_some();
    if (io == Io::Ended) return false;
    if (io == Io::Blocked) {
      wait_for(base::Interest::ReadWrite);
      return true;
    }
  }
  if (sent_ < output_.size() || timer_ != base::EventLoop::TimerId::None) {
    wait_for(base::Interest::None);
    return true;
  }
  if (stream_ && !close_after_) {
    output_.clear();
    sent_ = allowed_ = 0;
    wait_for(base::Interest::Read);
    return true;
  }
  answering_ = false;
  output_.clear();
  if (output_.capacity() > kReadSize) output_.shrink_to_fit();
  last_used_ = std::chrono::steady_clock::now();
  wait_for(base::Interest::Read);
  return !close_after_;
}

}  // namespace nimbus::simulator::http
