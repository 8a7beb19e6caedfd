// A socket that sends exactly the bytes that a test wants and reads until the
// other side ends or a deadline passes.
#pragma once

#include <poll.h>

#include <chrono>
#include <string>
#include <string_view>

#include "base/net/socket.hpp"

namespace nimbus::base::test {

class RawClient {
 public:
  /// "127.0.0.1:4711" or "unix:/path".
  explicit RawClient(const std::string& address) {
    auto socket = address.starts_with("unix:") ? connect_unix(address.substr(5))
                                               : connect_tcp(*SocketAddress::numeric(*parse_host_port(address, 0)));
    if (socket) socket_ = std::move(*socket);
    if (socket_) wait(POLLOUT, Clock::now() + std::chrono::seconds(5));
  }

  bool open() const { return static_cast<bool>(socket_); }

  /// False once the other side does not take bytes any more.
  bool send(std::string_view text) {
    const auto deadline = Clock::now() + std::chrono::seconds(10);
    while (!text.empty()) {
      const auto done = send_some(socket_, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
      if (!done) return false;
      if (*done) {
        text.remove_prefix(**done);
      } else if (!wait(POLLOUT, deadline)) {
        return false;
      }
    }
    return true;
  }

  /// Everything up to the end of the stream, or what came within `time`.
  std::string read_all(std::chrono::milliseconds time = std::chrono::seconds(10)) { return read_until("", time); }
  /// Up to and with `mark`; "" for the end of the stream.
  std::string read_until(std::string_view mark, std::chrono::milliseconds time = std::chrono::seconds(10)) {
    const auto deadline = Clock::now() + time;
    std::string out;
    std::uint8_t room[4096];
    while (mark.empty() || out.find(mark) == std::string::npos) {
      const auto got = receive_some(socket_, room);
      if (!got || (*got && **got == 0)) {
        ended_ = true;
        break;
      }
      if (*got) {
        out.append(reinterpret_cast<const char*>(room), **got);
      } else if (!wait(POLLIN, deadline)) {
        break;
      }
    }
    return out;
  }
  /// Whether a read found the end of the stream.
  bool ended() const { return ended_; }

 private:
  using Clock = std::chrono::steady_clock;
  bool wait(short events, Clock::time_point deadline) const {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd entry{socket_.get(), events, 0};
    return left > 0 && ::poll(&entry, 1, static_cast<int>(left)) > 0;
  }
  FileDescriptor socket_;
  bool ended_ = false;
};

/// One request on a connection of its own, and the whole answer.
inline std::string ask(const std::string& address, std::string_view request) {
  RawClient client(address);
  client.send(request);
  return client.read_all();
}

}  // namespace nimbus::base::test
