// A FakeBmc on a UDP port of loopback, on a thread of its own.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "base/net/event_loop.hpp"
#include "base/net/socket.hpp"
#include "fake_bmc.hpp"

namespace nimbus::ipmi::test {

class FakeBmcServer {
 public:
  explicit FakeBmcServer(FakeBmc::Settings settings)
      : bmc_(std::move(settings)),
        loop_(std::move(base::EventLoop::create().value())),
        socket_(std::move(base::bind_udp(base::SocketAddress::numeric({"127.0.0.1", 0}).value()).value())),
        address_(base::local_address(socket_).value()) {
    (void)loop_->watch(socket_.get(), base::Interest::Read, [this](base::Ready) { answer(); }).has_value();
    thread_ = std::jthread([this](const std::stop_token& stop) { loop_->run(stop); });
  }

  const base::SocketAddress& address() const { return address_; }

  /// Runs `task` on the server's thread and waits for it.
  template <class F>
  auto with(F task) {
    std::promise<decltype(task(bmc_))> done;
    auto future = done.get_future();
    loop_->post([&] {
      if constexpr (std::is_void_v<decltype(task(bmc_))>) {
        task(bmc_);
        done.set_value();
      } else {
        done.set_value(task(bmc_));
      }
    });
    return future.get();
  }

  /// How many of the next answers are lost.
  std::atomic<int> answers_to_lose = 0;
  std::atomic<int> packets = 0;

 private:
  void answer() {
    std::array<std::uint8_t, 2048> room{};
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    auto* const client = reinterpret_cast<sockaddr*>(&from);
    const auto got = ::recvfrom(socket_.get(), room.data(), room.size(), 0, client, &size);
    if (got < 0) return;
    ++packets;
    const auto reply = bmc_.receive(Data(room.begin(), room.begin() + got));
    if (!reply) return;
    if (answers_to_lose > 0) {
      --answers_to_lose;
      return;
    }
    (void)::sendto(socket_.get(), reply->data(), reply->size(), 0, client, size);
  }

  FakeBmc bmc_;
  std::unique_ptr<base::EventLoop> loop_;
  base::FileDescriptor socket_;
  base::SocketAddress address_;
  std::jthread thread_;
};

}  // namespace nimbus::ipmi::test
