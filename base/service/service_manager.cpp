#include "base/service/service_manager.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include <fmt/core.h>

namespace nimbus::base {
namespace {

constexpr std::size_t kMostStatusBytes = 256;

std::optional<long long> number(const char* text) {
  if (text == nullptr) return std::nullopt;
  long long value = 0;
  const char* const end = text + std::strlen(text);
  const auto [stopped, error] = std::from_chars(text, end, value);
  return error == std::errc() && stopped == end && value > 0 ? std::optional(value) : std::nullopt;
}

/// sun_path, or nothing for what is no UNIX socket (systemd also knows vsock).
std::string socket_path(const char* text) {
  if (text == nullptr || (text[0] != '/' && text[0] != '@')) return {};
  std::string path = text;
  if (path.size() < 2 || path.size() >= sizeof(sockaddr_un::sun_path)) return {};
  if (path.front() == '@') path.front() = '\0';
  return path;
}

/// One assignment is one line.
std::string one_line(std::string_view text) {
  std::string line(text.substr(0, kMostStatusBytes));
  std::replace_if(
      line.begin(), line.end(), [](unsigned char c) { return c < 0x20U || c == 0x7FU; }, ' ');
  return line;
}

}  // namespace

ServiceManager::Environment ServiceManager::process_environment() {
  return [](const char* name) -> const char* { return std::getenv(name); };
}

ServiceManager::ServiceManager(const Environment& environment) : path_(socket_path(environment("NOTIFY_SOCKET"))) {
  const auto interval = number(environment("WATCHDOG_USEC"));
  const char* const process = environment("WATCHDOG_PID");
  const bool ours = process == nullptr || number(process) == static_cast<long long>(::getpid());
  if (present() && interval && ours) watchdog_ = std::chrono::microseconds(*interval);
}

void ServiceManager::ready(std::string_view status) const { send("READY=1\nSTATUS=" + one_line(status)); }

void ServiceManager::reloading(MonoTime now) const {
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
  send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", microseconds));
}

void ServiceManager::stopping(std::string_view status) const { send("STOPPING=1\nSTATUS=" + one_line(status)); }
void ServiceManager::status(std::string_view text) const { send("STATUS=" + one_line(text)); }
void ServiceManager::alive() const { send("WATCHDOG=1"); }

/// A manager that does not listen is its own misfortune: the service goes on.
void ServiceManager::send(const std::string& message) const {
  if (!present()) return;
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path_.data(), path_.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_.size());
  (void)::sendto(fd, message.data(), message.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), length);
  (void)::close(fd);
}

}  // namespace nimbus::base
