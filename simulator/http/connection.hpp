// Connection: one client of the server. Internal to simulator/http.
#pragma once

#include <optional>
#include <string>

#include "simulator/http/server.hpp"

namespace nimbus::simulator::http {

class Connection {
 public:
  Connection(Server& server, base::FileDescriptor socket, base::SocketAddress peer, ListenerTag tag,
             const base::TlsServerContext* tls);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int fd() const noexcept { return socket_.get(); }
  ListenerTag tag() const noexcept { return tag_; }
  /// Reads, answers and writes as far as it goes. False: close it.
  bool progress(base::Ready ready);
  bool overdue(MonoTime now) const noexcept;
  /// Adds to a stream's body. False: its reader is too slow, or gone; close it.
  bool publish(std::string_view text);

 private:
  enum class Io : std::uint8_t { Moved, Blocked, Ended };
  Io read_some();
  Io write_some();
  bool read_all();
  bool answer_requests();
  void begin(Response response, const Request& request);
  void send_slowly();
  bool flush();
  void wait_for(base::Interest interest);
  void resume();

  Server* server_;
  base::FileDescriptor socket_;
  base::SocketAddress peer_;
  ListenerTag tag_;
  std::optional<base::TlsServerStream> tls_;
  RequestParser parser_;
  std::string output_;
  std::size_t sent_ = 0;
  std::size_t allowed_ = 0;  // of output_, may be sent now; the rest waits
  std::size_t drip_ = 0;     // bytes per tick of a slow answer
  bool close_after_ = false;
  bool answering_ = false;
  std::optional<std::uint64_t> stream_;  // the answer is one, and never done
  base::Interest interest_ = base::Interest::Read;
  base::EventLoop::TimerId timer_ = base::EventLoop::TimerId::None;
  MonoTime last_used_;
  MonoTime moved_{};  // some of the answer was taken, or it began
  std::optional<MonoTime> request_began_;
};

}  // namespace nimbus::simulator::http
