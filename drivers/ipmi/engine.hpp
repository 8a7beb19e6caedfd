// Engine: the event loop's thread that serves all BMCs, and the bridge to threads
// that wait for their own answer.
//
// Thread rule: safe from any thread. The engine outlives every link.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/net/event_loop.hpp"
#include "base/net/resolver.hpp"
#include "core/call.hpp"
#include "core/result.hpp"
#include "drivers/ipmi/link.hpp"

namespace nimbus::ipmi {

class Engine {
 public:
  /// Starts the thread. Errors: Internal (out of descriptors).
  static Result<std::unique_ptr<Engine>> start();

  /// A link that is destroyed on the loop's thread.
  std::shared_ptr<Link> make_link();

  /// Runs `task` on the loop's thread.
  void post(std::function<void()> task) { loop_->post(std::move(task)); }

  base::Resolver& resolver() noexcept { return resolver_; }

  /// Timers of the loop; on its thread only.
  base::EventLoop::TimerId start_timer(std::chrono::nanoseconds delay, std::function<void()> task) {
    return loop_->start_timer(delay, std::move(task));
  }
  void cancel_timer(base::EventLoop::TimerId timer) { loop_->cancel_timer(timer); }

  Result<> open(const std::shared_ptr<Link>& link, Login login, const base::SocketAddress& peer, const Call& call);
  Result<Reply> send(const std::shared_ptr<Link>& link, Request request, Repeat repeat, const Call& call);
  Result<> close(const std::shared_ptr<Link>& link, const Call& call);
  /// One question to many BMCs, each on its present session, kBatchInFlight at a time. The
  /// answers are in the order of `links`. A caller that stops or runs out of time gets an
  /// error for those that had no answer yet.
  std::vector<Result<Reply>> send_all(const std::vector<std::shared_ptr<Link>>& links, const Request& request,
                                      const Call& call);
  Result<> forget(const std::shared_ptr<Link>& link, const Call& call);
  /// Whether the link had a session a moment ago.
  bool has_session(const std::shared_ptr<Link>& link, const Call& call);

 private:
  static constexpr std::size_t kBatchInFlight = 256;
  explicit Engine(std::unique_ptr<base::EventLoop> loop);

  template <class T>
  Result<T> wait(const std::shared_ptr<Link>& link, const Call& call,
                 std::function<void(Link&, std::function<void(Result<T>)>)> start);

  base::Resolver resolver_;
  std::unique_ptr<base::EventLoop> loop_;
  std::jthread thread_;  // last: stops before the loop goes
};

}  // namespace nimbus::ipmi
