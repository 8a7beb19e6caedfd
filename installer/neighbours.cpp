#include "installer/neighbours.hpp"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

#include "base/file/file.hpp"
#include "base/text/text.hpp"
#include "installer/lldp.hpp"

namespace nimbus::installer {
namespace {

constexpr std::uint16_t kLldp = 0x88CC;
constexpr std::size_t kMostNics = 64;
constexpr int kMostFrames = 256;  // at a time; the kernel keeps no more than its own buffer
/// Nearest bridge, nearest non-TPMR bridge, nearest customer bridge (IEEE 802.1AB-2016, 7.1).
constexpr std::array<std::uint8_t, 3> kGroups{0x0E, 0x03, 0x00};

void join(int socket, int nic) {
  for (const auto last : kGroups) {
    packet_mreq group{};
    group.mr_ifindex = nic;
    group.mr_type = PACKET_MR_MULTICAST;
    group.mr_alen = 6;
    const std::array<std::uint8_t, 6> address{0x01, 0x80, 0xC2, 0x00, 0x00, last};
    std::memcpy(group.mr_address, address.data(), address.size());
    static_cast<void>(::setsockopt(socket, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &group, sizeof group));
  }
}

}  // namespace

Neighbours::Neighbours(const std::string& root, const Clock& clock)
    : folder_(root + "/sys/class/net/"),
      clock_(clock),
      end_(clock.now() + kListen),
      socket_(::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(kLldp))) {
  listen_to_all();
}

/// Drivers take their time: a NIC may be there later than this program.
void Neighbours::listen_to_all() {
  const auto nics = base::list_folder(folder_);
  if (!socket_ || !nics) return;
  for (const auto& nic : *nics) {
    const int number = static_cast<int>(::if_nametoindex(nic.name.c_str()));
    if (number == 0 || nic.name == "lo" || macs_.contains(number) || macs_.size() == kMostNics) continue;
    const auto mac = base::read_file(folder_ + nic.name + "/address", 4096);
    if (!mac) continue;
    macs_[number] = base::to_lower(base::trim(*mac));
    join(socket_.get(), number);
    links_.raise(nic.name);
  }
}

std::vector<boot::NeighbourReport> Neighbours::heard() {
  if (clock_.now() < end_) {
    listen_to_all();
  } else {
    links_.lower();
  }
  std::array<std::uint8_t, 9216> frame{};
  for (int i = 0; i < kMostFrames && socket_; ++i) {
    sockaddr_ll from{};
    socklen_t size = sizeof from;
    const ssize_t count =
        ::recvfrom(socket_.get(), frame.data(), frame.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (count < 0) break;
    const auto nic = macs_.find(from.sll_ifindex);
    const auto said = parse_lldp(std::span(frame).first(static_cast<std::size_t>(count)));
    if (from.sll_pkttype == PACKET_OUTGOING || nic == macs_.end() || !said) continue;
    heard_[nic->second] = {.nic = nic->second, .chassis = said->chassis, .port = said->port, .system = said->system};
  }
  std::vector<boot::NeighbourReport> out;
  for (const auto& [mac, neighbour] : heard_) out.push_back(neighbour);
  return out;
}

}  // namespace nimbus::installer
