#include "drivers/ipmi/engine.hpp"

namespace nimbus::ipmi {
namespace {

// The link ends an operation at its deadline and knows why; the waiting thread
// gives it this much longer before it gives up on its own.
constexpr std::chrono::milliseconds kGrace{100};

/// Where a thread waits for its answer.
template <class T>
struct Answer {
  std::mutex mutex;
  std::condition_variable_any arrived;
  std::optional<Result<T>> result;

  void set(Result<T> value) {
    {
      const std::lock_guard lock(mutex);
      result.emplace(std::move(value));
    }
    arrived.notify_one();
  }
};

}  // namespace

Result<std::unique_ptr<Engine>> Engine::start() {
  auto loop = base::EventLoop::create();
  if (!loop) return std::move(loop.error());
  return std::unique_ptr<Engine>(new Engine(std::move(*loop)));
}

Engine::Engine(std::unique_ptr<base::EventLoop> loop)
    : loop_(std::move(loop)), thread_([this](const std::stop_token& stop) { loop_->run(stop); }) {}

std::shared_ptr<Link> Engine::make_link() {
  return {new Link(*loop_), [this](Link* link) { loop_->post([link] { delete link; }); }};
}

template <class T>
Result<T> Engine::wait(const std::shared_ptr<Link>& link, const Call& call,
                       std::function<void(Link&, std::function<void(Result<T>)>)> start) {
  const auto answer = std::make_shared<Answer<T>>();
  post([link, answer, start = std::move(start)] {
    start(*link, [answer](Result<T> result) { answer->set(std::move(result)); });
  });
  std::unique_lock lock(answer->mutex);
  const auto latest = call.deadline < MonoTime::max() - kGrace ? call.deadline + kGrace : call.deadline;
  answer->arrived.wait_until(lock, call.stop, latest, [&] { return answer->result.has_value(); });
  if (answer->result) return std::move(*answer->result);
  lock.unlock();
  const Error error = call.stop.stop_requested() ? Error{Code::Cancelled, "stopped while waiting for the BMC"}
                                                 : Error{Code::Timeout, "the BMC did not answer in time"};
  post([link, error] { link->abandon(error); });
  return error;
}

Result<> Engine::open(const std::shared_ptr<Link>& link, Login login, const base::SocketAddress& peer,
                      const Call& call) {
  return wait<void>(link, call,
                    [login = std::move(login), peer, deadline = call.deadline](Link& on_loop, Link::OpenDone done) {
                      on_loop.open(login, peer, deadline, std::move(done));
                    });
}

Result<Reply> Engine::send(const std::shared_ptr<Link>& link, Request request, Repeat repeat, const Call& call) {
  return wait<Reply>(
      link, call, [request = std::move(request), repeat, deadline = call.deadline](Link& on_loop, Link::SendDone done) {
        on_loop.send(request, repeat, deadline, std::move(done));
      });
}

Result<> Engine::close(const std::shared_ptr<Link>& link, const Call& call) {
  return wait<void>(link, call, [deadline = call.deadline](Link& on_loop, Link::OpenDone done) {
    on_loop.close(deadline, std::move(done));
  });
}

Result<> Engine::forget(const std::shared_ptr<Link>& link, const Call& call) {
  return wait<void>(link, call, [](Link& on_loop, Link::OpenDone done) {
    on_loop.forget();
    done({});
  });
}

bool Engine::has_session(const std::shared_ptr<Link>& link, const Call& call) {
  const auto answer = wait<bool>(
      link, call, [](Link& on_loop, std::function<void(Result<bool>)> done) { done(on_loop.has_session()); });
  return answer && *answer;
}

}  // namespace nimbus::ipmi
