#include "base/net/wait.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

namespace nimbus::base {

Result<> wait_ready(const FileDescriptor& descriptor, short events, const Call& call, const Clock& clock) {
  while (true) {
    if (call.stop.stop_requested()) return Error{Code::Cancelled, "stopped"};
    const auto left = call.remaining(clock.now());
    if (left.count() == 0) return Error{Code::Timeout, "no answer in time"};
    pollfd entry{.fd = descriptor.get(), .events = events, .revents = 0};
    constexpr std::chrono::milliseconds kLook{500};  // so that a stop request is seen
    const int ready = ::poll(&entry, 1, static_cast<int>(std::min(left, kLook).count()));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return Error{Code::Internal, "poll failed"};
  }
}

}  // namespace nimbus::base
