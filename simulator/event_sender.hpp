// EventSender: posts events to those who subscribed, over plain HTTP, on the event loop.
//
// An answer of 2xx within the time limit is a delivery; anything else is tried again a few
// times and then given up (DSP0266, section 14.2). Thread rule: the event loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>

#include "base/net/event_loop.hpp"
#include "simulator/redfish/events.hpp"

namespace nimbus::simulator {

class EventSender {
 public:
  using GivenUp = std::function<void(const redfish::Delivery&)>;
  static constexpr std::chrono::seconds kAnswerLimit{5};
  static constexpr std::size_t kMostAtOnce = 1000;  // more are dropped, as a BMC would

  explicit EventSender(base::EventLoop& loop);
  ~EventSender();
  EventSender(const EventSender&) = delete;
  EventSender& operator=(const EventSender&) = delete;

  void send(redfish::Delivery delivery, GivenUp given_up);

 private:
  struct Post;
  void attempt(Post& post);
  void ready(Post& post, base::Ready what);
  void failed(Post& post);
  void finish(Post& post);
  void disconnect(Post& post);

  base::EventLoop* loop_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Post>> posts_;
  std::uint64_t next_ = 1;
};

}  // namespace nimbus::simulator
