// A UDP proxy on loopback that loses, doubles, delays and changes packets: the
// network between a client and one BMC. Random, with a fixed seed per proxy.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "base/net/event_loop.hpp"
#include "base/net/socket.hpp"

namespace nimbus::peer {

struct Weather {
  int drop_percent = 0;
  int double_percent = 0;
  int change_percent = 0;                   // one byte of the packet, header excluded
  std::chrono::milliseconds most_delay{0};  // random up to this: also changes the order
  unsigned seed = 1;
};

class LossyProxy {
 public:
  LossyProxy(const std::string& bmc, Weather weather)
      : weather_(weather), random_(weather.seed), loop_(std::move(base::EventLoop::create().value())) {
    const auto peer = base::SocketAddress::numeric(base::parse_host_port(bmc, 623).value()).value();
    outside_ = std::move(base::bind_udp(base::SocketAddress::numeric({"127.0.0.1", 0}).value()).value());
    peer_ = peer;
    REQUIRE(loop_->watch(outside_.get(), base::Interest::Read, [this](base::Ready) { from_client(); }));
    thread_ = std::jthread([this](const std::stop_token& stop) { loop_->run(stop); });
  }

  std::string address() const { return base::local_address(outside_).value().text(); }

 private:
  using Data = std::vector<std::uint8_t>;

  void from_client() {
    std::array<std::uint8_t, 2048> room{};
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    const auto got = ::recvfrom(outside_.get(), room.data(), room.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (got < 0) return;
    const base::SocketAddress client(reinterpret_cast<const sockaddr*>(&from), size);
    auto& inside = inside_[client.text()];
    if (!inside) {
      inside = std::move(base::connect_udp(peer_).value());
      const int fd = inside.get();
      REQUIRE(loop_->watch(fd, base::Interest::Read, [this, fd, client](base::Ready) { from_bmc(fd, client); }));
    }
    const int fd = inside.get();
    disturb(Data(room.begin(), room.begin() + got),
            [fd](const Data& data) { (void)::send(fd, data.data(), data.size(), MSG_NOSIGNAL); });
  }

  void from_bmc(int fd, const base::SocketAddress& client) {
    std::array<std::uint8_t, 2048> room{};
    const auto got = ::recv(fd, room.data(), room.size(), 0);
    if (got < 0) return;
    disturb(Data(room.begin(), room.begin() + got), [this, client](const Data& data) {
      (void)::sendto(outside_.get(), data.data(), data.size(), MSG_NOSIGNAL, client.data(), client.size());
    });
  }

  bool happens(int percent) { return static_cast<int>(random_() % 100) < percent; }

  void disturb(Data data, const std::function<void(const Data&)>& pass_on) {
    if (happens(weather_.drop_percent)) return;
    if (data.size() > 5 && happens(weather_.change_percent)) {
      data[4 + random_() % (data.size() - 4)] ^= static_cast<std::uint8_t>(1 + random_() % 255);
    }
    for (int copies = happens(weather_.double_percent) ? 2 : 1; copies > 0; --copies) {
      if (weather_.most_delay.count() == 0) {
        pass_on(data);
        continue;
      }
      const auto delay = std::chrono::milliseconds(random_() % static_cast<unsigned>(weather_.most_delay.count()));
      loop_->start_timer(delay, [data, pass_on] { pass_on(data); });
    }
  }

  Weather weather_;
  std::minstd_rand random_;
  std::unique_ptr<base::EventLoop> loop_;
  base::FileDescriptor outside_;
  base::SocketAddress peer_;
  std::map<std::string, base::FileDescriptor> inside_;  // one per client: the BMC sees different ports
  std::jthread thread_;
};

}  // namespace nimbus::peer
