// Resolver: host names to addresses within a deadline. The system's own look-up takes
// as long as it likes; here it runs on a thread of its own and nobody waits longer than
// the call allows.
//
// Numeric addresses are answered at once. One name at a time is looked up; a name that
// is asked for twice is looked up once. Answers are not kept: that is the system's work.
//
// Thread rule: safe from any thread. The destructor waits for the look-up under way.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/net/socket_address.hpp"
#include "core/call.hpp"
#include "core/result.hpp"

namespace nimbus::base {

class Resolver {
 public:
  using Answer = Result<std::vector<SocketAddress>>;
  using Lookup = std::function<Answer(const HostPort&)>;
  explicit Resolver(Lookup lookup = base::resolve);

  /// Errors: those of base::resolve; Timeout; Cancelled.
  Answer resolve(const HostPort& where, const Call& call);

 private:
  struct Question {
    HostPort where;
    std::optional<Answer> answer;
  };
  void work(const std::stop_token& stop);

  Lookup lookup_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::shared_ptr<Question>> questions_;  // the first is being looked up
  std::jthread thread_;                              // last: ends before the rest goes
};

}  // namespace nimbus::base
