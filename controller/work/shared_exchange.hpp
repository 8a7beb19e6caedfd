// SharedExchange: one exchange with somebody far away answers all who asked before it began.
//
// Group commit: who comes while an exchange is under way waits for the next one, which one
// of those who wait makes for all of them. So how many exchanges there are follows from how
// long one takes, not from how many ask. And nobody is answered by an exchange that began
// before the question: what was decided, or written down, before join() was called is known
// to the exchange that answers it. That is counted, not timed.
//
// Thread rule: safe from any thread. A caller waits for two exchanges at most, which need a
// deadline of their own.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <utility>

#include "core/result.hpp"

namespace nimbus::controller {

class SharedExchange {
 public:
  using Exchange = std::function<Result<>()>;

  /// What `exchange`, or somebody else's, said that began after this call. All callers of one
  /// object must mean the same by it: only one of them runs, without a lock.
  Result<> join(const Exchange& exchange) {
    std::unique_lock lock(mutex_);
    const std::uint64_t mine = begun_ + 1;  // the first that begins after now
    ++waiting_;
    ended_.wait(lock, [&] { return ended_count_ >= mine || begun_ == ended_count_; });
    --waiting_;
    if (ended_count_ >= mine) return said_;  // a later one is as good
    ++begun_;
    lock.unlock();
    Result<> said = run(exchange);
    lock.lock();
    said_ = said;
    ended_count_ = begun_;
    ended_.notify_all();
    return said;
  }

  /// Callers that wait for an exchange that has not begun, or has not ended.
  std::size_t waiting() const {
    const std::lock_guard lock(mutex_);
    return waiting_;
  }

 private:
  /// An exception ends the program sooner or later; until then nobody waits for ever.
  Result<> run(const Exchange& exchange) {
    try {
      return exchange();
    } catch (...) {
      const std::lock_guard lock(mutex_);
      said_ = Error{Code::Internal, "the exchange broke off"};
      ended_count_ = begun_;
      ended_.notify_all();
      throw;
    }
  }

  mutable std::mutex mutex_;
  std::condition_variable ended_;
  std::uint64_t begun_ = 0;        // exchanges, one at a time
  std::uint64_t ended_count_ = 0;  // begun_, or one less while one is under way
  std::size_t waiting_ = 0;
  Result<> said_;  // by the newest that ended
};

}  // namespace nimbus::controller
