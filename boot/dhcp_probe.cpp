#include "boot/dhcp_probe.hpp"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <vector>

#include "base/crypto/crypto.hpp"
#include "base/net/file_descriptor.hpp"

namespace nimbus::boot {
namespace {

constexpr std::uint16_t kServerPort = 67;
constexpr std::uint16_t kClientPort = 68;
constexpr std::size_t kHeader = 236;  // before the magic cookie
constexpr std::array<std::uint8_t, 4> kCookie{99, 130, 83, 99};
constexpr std::chrono::milliseconds kAskAgain{700};

Error failed(const std::string& what) {
  return {Code::Internal, "looking for other DHCP servers: " + what + ": " + std::generic_category().message(errno)};
}

sockaddr_in at(std::uint32_t address, std::uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_addr.s_addr = htonl(address);
  out.sin_port = htons(port);
  return out;
}

/// BOOTREQUEST with a made-up, locally administered hardware address.
std::vector<std::uint8_t> discover(std::span<const std::uint8_t, 4> transaction) {
  std::vector<std::uint8_t> packet(kHeader);
  packet[0] = 1;  // request
  packet[1] = 1;  // Ethernet
  packet[2] = 6;
  std::copy(transaction.begin(), transaction.end(), packet.begin() + 4);
  packet[10] = 0x80;  // answer by broadcast
  packet[28] = 0x02;
  std::copy(transaction.begin(), transaction.end(), packet.begin() + 29);
  packet.insert(packet.end(), kCookie.begin(), kCookie.end());
  packet.insert(packet.end(), {53, 1, 1, 255});  // DHCPDISCOVER, end
  packet.resize(300);                            // some servers want that much
  return packet;
}

bool is_offer(std::span<const std::uint8_t> packet, std::span<const std::uint8_t, 4> transaction) {
  return packet.size() >= kHeader + kCookie.size() && packet[0] == 2 &&
         std::equal(transaction.begin(), transaction.end(), packet.begin() + 4) &&
         std::equal(kCookie.begin(), kCookie.end(), packet.begin() + static_cast<std::ptrdiff_t>(kHeader));
}

Result<base::FileDescriptor> open_socket(const std::string& interface) {
  base::FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return failed("no socket");
  const int yes = 1;
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_BROADCAST, &yes, sizeof yes) != 0 ||
      ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
      ::setsockopt(socket.get(), SOL_SOCKET, SO_BINDTODEVICE, interface.c_str(),
                   static_cast<socklen_t>(interface.size() + 1)) != 0) {
    return failed("cannot use " + interface);
  }
  const sockaddr_in local = at(INADDR_ANY, kClientPort);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&local), sizeof local) != 0) return failed("port 68");
  return socket;
}

std::string address_of(const sockaddr_in& from) {
  std::array<char, INET_ADDRSTRLEN> text{};
  ::inet_ntop(AF_INET, &from.sin_addr, text.data(), text.size());
  return text.data();
}

}  // namespace

Result<std::optional<std::string>> other_dhcp_server(const std::string& interface, std::chrono::milliseconds wait,
                                                     const Clock& clock) {
  auto socket = open_socket(interface);
  if (!socket) return std::move(socket.error());
  std::array<std::uint8_t, 4> transaction{};
  base::random_bytes(transaction);
  const auto packet = discover(transaction);
  const sockaddr_in everybody = at(INADDR_BROADCAST, kServerPort);
  const MonoTime end = clock.now() + wait;
  while (clock.now() < end) {
    if (::sendto(socket->get(), packet.data(), packet.size(), 0, reinterpret_cast<const sockaddr*>(&everybody),
                 sizeof everybody) < 0) {
      return failed("cannot send on " + interface);
    }
    const MonoTime again = std::min(end, clock.now() + kAskAgain);
    while (clock.now() < again) {
      pollfd entry{.fd = socket->get(), .events = POLLIN, .revents = 0};
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(again - clock.now());
      if (::poll(&entry, 1, static_cast<int>(left.count())) <= 0) break;
      std::array<std::uint8_t, 2048> answer{};
      sockaddr_in from{};
      socklen_t size = sizeof from;
      const ssize_t got =
          ::recvfrom(socket->get(), answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
      if (got > 0 && is_offer(std::span(answer).first(static_cast<std::size_t>(got)), transaction)) {
        return std::optional(address_of(from));
      }
    }
  }
  return std::optional<std::string>();
}

}  // namespace nimbus::boot
