#include "simulator/event_sender.hpp"

#include <fmt/format.h>

#include <array>

#include "base/net/socket.hpp"

namespace nimbus::simulator {
namespace {

constexpr std::uint16_t kHttpPort = 80;
constexpr std::size_t kStatusAt = 9;  // behind "HTTP/1.1 "

struct Where {
  std::string authority;
  std::string path;
};

/// "http://127.0.0.1:8000/events" → its two parts.
Where split(std::string_view destination) {
  destination.remove_prefix(std::string_view("http://").size());
  const auto slash = destination.find('/');
  return {std::string(destination.substr(0, slash)),
          slash == std::string_view::npos ? "/" : std::string(destination.substr(slash))};
}

std::string request_of(const redfish::Delivery& delivery) {
  const Where where = split(delivery.destination);
  std::string out =
      fmt::format("POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n", where.path, where.authority);
  for (const auto& [name, value] : delivery.headers) out += fmt::format("{}: {}\r\n", name, value);
  out += fmt::format("Content-Length: {}\r\nConnection: close\r\n\r\n", delivery.body.size());
  return out + delivery.body;
}

}  // namespace

struct EventSender::Post {
  std::uint64_t number = 0;
  redfish::Delivery delivery;
  GivenUp given_up;
  int tries = 0;
  base::FileDescriptor socket;
  std::string unsent;
  std::string answer;
  base::EventLoop::TimerId timer = base::EventLoop::TimerId::None;
};

EventSender::EventSender(base::EventLoop& loop) : loop_(&loop) {}

EventSender::~EventSender() {
  for (const auto& [number, post] : posts_) disconnect(*post);
}

void EventSender::send(redfish::Delivery delivery, GivenUp given_up) {
  if (posts_.size() >= kMostAtOnce) return;
  auto post = std::make_unique<Post>();
  post->number = next_++;
  post->delivery = std::move(delivery);
  post->given_up = std::move(given_up);
  Post& kept = *post;
  posts_[kept.number] = std::move(post);
  // From the loop: whoever sends may be in the middle of something.
  kept.timer = loop_->start_timer(std::chrono::milliseconds(0), [this, &kept] { attempt(kept); });
}

void EventSender::disconnect(Post& post) {
  loop_->cancel_timer(post.timer);
  post.timer = base::EventLoop::TimerId::None;
  if (!post.socket) return;
  loop_->unwatch(post.socket.get());
  post.socket.reset();
}

void EventSender::attempt(Post& post) {
  disconnect(post);
  ++post.tries;
  post.unsent = request_of(post.delivery);
  post.answer.clear();
  const auto where = base::parse_host_port(split(post.delivery.destination).authority, kHttpPort);
  const auto address = where ? base::SocketAddress::numeric(*where) : Result<base::SocketAddress>(where.error());
  if (!address) return failed(post);
  auto socket = base::connect_tcp(*address);
  if (!socket) return failed(post);
  post.socket = std::move(*socket);
  const auto watched = loop_->watch(post.socket.get(), base::Interest::ReadWrite,
                                    [this, &post](base::Ready what) { ready(post, what); });
  if (!watched) return failed(post);
  post.timer = loop_->start_timer(kAnswerLimit, [this, &post] { failed(post); });
}

void EventSender::ready(Post& post, base::Ready what) {
  if (what.writable && !post.unsent.empty()) {
    if (!base::connect_result(post.socket)) return failed(post);
    const auto sent =
        base::send_some(post.socket, {reinterpret_cast<const std::uint8_t*>(post.unsent.data()), post.unsent.size()});
    if (!sent) return failed(post);
    post.unsent.erase(0, sent->value_or(0));
    if (post.unsent.empty()) static_cast<void>(loop_->modify(post.socket.get(), base::Interest::Read));
  }
  if (!what.readable && !what.failed) return;
  std::array<std::uint8_t, 1024> room;  // NOLINT: filled by the read
  const auto got = base::receive_some(post.socket, room);
  if (!got || (*got && **got == 0)) return failed(post);
  if (!*got) return;
  post.answer.append(reinterpret_cast<const char*>(room.data()), **got);
  if (post.answer.size() <= kStatusAt) return;
  return post.answer[kStatusAt] == '2' && post.answer.starts_with("HTTP/1.") ? finish(post) : failed(post);
}

void EventSender::failed(Post& post) {
  disconnect(post);
  if (post.tries <= redfish::Events::kRetries) {
    post.timer = loop_->start_timer(redfish::Events::kRetryInterval, [this, &post] { attempt(post); });
    return;
  }
  post.given_up(post.delivery);
  finish(post);
}

void EventSender::finish(Post& post) {
  disconnect(post);
  posts_.erase(post.number);  // post is gone
}

}  // namespace nimbus::simulator
