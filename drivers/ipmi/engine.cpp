#include "drivers/ipmi/engine.hpp"

#include <algorithm>
#include <set>

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

/// Many questions at once: the thread that asks is woken once, when all are answered.
class Batch : public std::enable_shared_from_this<Batch> {
 public:
  Batch(std::vector<std::shared_ptr<Link>> links, Request request, MonoTime deadline)
      : links_(std::move(links)),
        request_(std::move(request)),
        deadline_(deadline),
        replies_(links_.size(), Error{Code::Timeout, "the BMC did not answer in time"}),
        left_(links_.size()) {}

  /// On the loop's thread.
  void start(std::size_t in_flight) {
    for (std::size_t i = 0; i < std::min(in_flight, links_.size()); ++i) ask_next();
  }
  /// On the loop's thread: nothing more is asked; what was asked ends as Cancelled.
  void give_up() {
    next_ = links_.size();
    for (const auto index : std::exchange(asked_, {})) links_[index]->abandon(Error{Code::Cancelled, "stopped"});
  }

  std::vector<Result<Reply>> wait(const Call& call, MonoTime latest) {
    std::unique_lock lock(mutex_);
    finished_.wait_until(lock, call.stop, latest, [&] { return left_ == 0; });
    return replies_;
  }
  bool done() {
    const std::lock_guard lock(mutex_);
    return left_ == 0;
  }

 private:
  void ask_next() {
    if (next_ >= links_.size()) return;
    const std::size_t index = next_++;
    asked_.insert(index);
    links_[index]->send(request_, Repeat::WhileUnanswered, deadline_,
                        [self = shared_from_this(), index](Result<Reply> reply) {
                          self->asked_.erase(index);
                          self->store(index, std::move(reply));
                          self->ask_next();
                        });
  }
  void store(std::size_t index, Result<Reply> reply) {
    bool last = false;
    {
      const std::lock_guard lock(mutex_);
      replies_[index] = std::move(reply);
      last = --left_ == 0;
    }
    if (last) finished_.notify_all();
  }

  const std::vector<std::shared_ptr<Link>> links_;
  const Request request_;
  const MonoTime deadline_;
  std::size_t next_ = 0;         // loop's thread
  std::set<std::size_t> asked_;  // "
  std::mutex mutex_;
  std::condition_variable_any finished_;
  std::vector<Result<Reply>> replies_;  // guarded, as is left_
  std::size_t left_;
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

std::vector<Result<Reply>> Engine::send_all(const std::vector<std::shared_ptr<Link>>& links, const Request& request,
                                            const Call& call) {
  if (links.empty()) return {};
  const auto batch = std::make_shared<Batch>(links, request, call.deadline);
  post([batch] { batch->start(kBatchInFlight); });
  const auto latest = call.deadline < MonoTime::max() - kGrace ? call.deadline + kGrace : call.deadline;
  auto replies = batch->wait(call, latest);
  if (!batch->done()) post([batch] { batch->give_up(); });
  return replies;
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
