#include "installer/links.hpp"

#include <fcntl.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <string_view>

#include "base/file/file.hpp"
#include "base/text/text.hpp"

namespace nimbus::installer {
namespace {

ifreq request_for(const std::string& nic) {
  ifreq request{};
  std::memcpy(request.ifr_name, nic.data(), nic.size());
  return request;
}

bool is_ethernet(int socket, const std::string& nic) {
  ifreq request = request_for(nic);
  return ::ioctl(socket, SIOCGIFHWADDR, &request) == 0 && request.ifr_hwaddr.sa_family == ARPHRD_ETHER;
}

bool is_up(int socket, const std::string& nic) {
  ifreq request = request_for(nic);
  const bool read = ::ioctl(socket, SIOCGIFFLAGS, &request) == 0;
  return read && (static_cast<unsigned short>(request.ifr_flags) & IFF_UP) != 0;
}

bool set_up(int socket, const std::string& nic, bool up) {
  ifreq request = request_for(nic);
  if (::ioctl(socket, SIOCGIFFLAGS, &request) != 0) return false;
  const auto flags = static_cast<unsigned short>(request.ifr_flags);
  request.ifr_flags = static_cast<short>(up ? flags | IFF_UP : flags & ~IFF_UP);
  return ::ioctl(socket, SIOCSIFFLAGS, &request) == 0;
}

std::string switch_of_ipv6(const std::string& nic) { return "/proc/sys/net/ipv6/conf/" + nic + "/disable_ipv6"; }

bool write_switch(const std::string& path, std::string_view value) {
  const base::FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return file && ::write(file.get(), value.data(), value.size()) == static_cast<ssize_t>(value.size());
}

enum class Ipv6 { Absent, OffAlready, SwitchedOff, Stays };

Ipv6 switch_ipv6_off(const std::string& nic) {
  const std::string path = switch_of_ipv6(nic);
  if (::access("/proc/sys/net/ipv6", F_OK) != 0) return Ipv6::Absent;
  const auto now = base::read_file(path, 64);
  if (!now) return Ipv6::Stays;
  if (base::trim(*now) == "1") return Ipv6::OffAlready;
  return write_switch(path, "1") ? Ipv6::SwitchedOff : Ipv6::Stays;
}

}  // namespace

Links::Links() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}

Links::~Links() { lower(); }

void Links::raise(const std::string& nic) {
  const bool a_name = !nic.empty() && nic.size() < IFNAMSIZ && nic.find('/') == std::string::npos && nic[0] != '.';
  if (!socket_ || !a_name || raised_.contains(nic) || !is_ethernet(socket_.get(), nic)) return;
  if (is_up(socket_.get(), nic)) return;
  const auto ipv6 = switch_ipv6_off(nic);
  if (ipv6 == Ipv6::Stays) return;
  if (set_up(socket_.get(), nic, true)) {
    raised_[nic] = ipv6 == Ipv6::SwitchedOff;
  } else if (ipv6 == Ipv6::SwitchedOff) {
    write_switch(switch_of_ipv6(nic), "0");
  }
}

void Links::lower() {
  for (const auto& [nic, had_ipv6] : raised_) {
    set_up(socket_.get(), nic, false);
    if (had_ipv6) write_switch(switch_of_ipv6(nic), "0");
  }
  raised_.clear();
}

}  // namespace nimbus::installer
