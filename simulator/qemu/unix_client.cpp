#include <array>

#include "base/net/socket.hpp"
#include "simulator/qemu/qemu_host.hpp"

namespace nimbus::simulator {
namespace {

constexpr auto kRetry = std::chrono::milliseconds(20);
constexpr std::size_t kMostWaiting = 1 << 20;

}  // namespace

UnixClient::UnixClient(base::EventLoop& loop, std::string path, Receive receive)
    : loop_(&loop), path_(std::move(path)), receive_(std::move(receive)) {
  connect();
}

UnixClient::~UnixClient() {
  loop_->cancel_timer(retry_);
  disconnect();
}

void UnixClient::disconnect() {
  if (!socket_) return;
  loop_->unwatch(socket_.get());
  socket_.reset();
}

void UnixClient::connect() {
  auto socket = base::connect_unix(path_);
  if (!socket) {
    retry_ = loop_->start_timer(kRetry, [this] { connect(); });
    return;
  }
  socket_ = std::move(*socket);
  const auto watched = loop_->watch(socket_.get(), base::Interest::Read, [this](base::Ready what) { ready(what); });
  if (!watched) {
    socket_.reset();
    return;
  }
  flush();
}

void UnixClient::send(std::string_view bytes) {
  if (waiting_.size() + bytes.size() <= kMostWaiting) waiting_ += bytes;
  if (socket_) flush();
}

void UnixClient::flush() {
  while (!waiting_.empty()) {
    const auto sent =
        base::send_some(socket_, {reinterpret_cast<const std::uint8_t*>(waiting_.data()), waiting_.size()});
    if (!sent) return disconnect();
    if (!*sent) break;
    waiting_.erase(0, **sent);
  }
  static_cast<void>(loop_->modify(socket_.get(), waiting_.empty() ? base::Interest::Read : base::Interest::ReadWrite));
}

void UnixClient::ready(base::Ready what) {
  if (what.writable) flush();
  if (!socket_ || (!what.readable && !what.failed)) return;
  std::array<std::uint8_t, 4096> room;  // NOLINT: filled by the read
  const auto got = base::receive_some(socket_, room);
  if (!got || (*got && **got == 0)) return disconnect();
  if (*got) receive_({reinterpret_cast<const char*>(room.data()), **got});
}

}  // namespace nimbus::simulator
