#include "base/service/service_manager.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <map>
#include <string>

#include <doctest/doctest.h>

#include "base/net/file_descriptor.hpp"

using namespace nimbus;
using base::ServiceManager;

namespace {

/// A manager's socket in the abstract namespace: no file to clean up.
class Manager {
 public:
  Manager()
      : name_("nimbus-test-" + std::to_string(::getpid())), socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path + 1, name_.data(), name_.size());
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name_.size());
    REQUIRE(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0);
  }
  std::string address() const { return "@" + name_; }
  /// The next datagram; empty: none waits.
  std::string next() const {
    std::array<char, 2048> buffer{};
    const auto bytes = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    return bytes > 0 ? std::string(buffer.data(), static_cast<std::size_t>(bytes)) : std::string();
  }

 private:
  std::string name_;
  base::FileDescriptor socket_;
};

ServiceManager manager_of(std::map<std::string, std::string> variables) {
  return ServiceManager([&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

}  // namespace

TEST_CASE("a service manager is told what happens, one datagram each") {
  const Manager listener;
  const auto manager = manager_of({{"NOTIFY_SOCKET", listener.address()}});
  CHECK(manager.present());
  manager.ready("3 machines");
  CHECK(listener.next() == "READY=1\nSTATUS=3 machines");
  manager.reloading(MonoTime(std::chrono::microseconds(4711)));
  CHECK(listener.next() == "RELOADING=1\nMONOTONIC_USEC=4711");
  manager.alive();
  CHECK(listener.next() == "WATCHDOG=1");
  manager.stopping("bye");
  CHECK(listener.next() == "STOPPING=1\nSTATUS=bye");
}

TEST_CASE("a status text stays one line") {
  const Manager listener;
  const auto manager = manager_of({{"NOTIFY_SOCKET", listener.address()}});
  manager.status("a\nREADY=1\x7f");
  CHECK(listener.next() == "STATUS=a READY=1 ");
  manager.status(std::string(100'000, 'x'));
  CHECK(listener.next().size() == 256 + 7);
}

TEST_CASE("the watchdog is ours only if the manager means this process") {
  const std::string pid = std::to_string(::getpid());
  const auto interval = [](std::map<std::string, std::string> variables) {
    variables["NOTIFY_SOCKET"] = "@nobody-listens-here";
    return manager_of(std::move(variables)).watchdog();
  };
  CHECK(interval({{"WATCHDOG_USEC", "30000000"}}) == std::chrono::seconds(30));
  CHECK(interval({{"WATCHDOG_USEC", "1000"}, {"WATCHDOG_PID", pid}}) == std::chrono::milliseconds(1));
  CHECK(interval({{"WATCHDOG_USEC", "1000"}, {"WATCHDOG_PID", "1"}}) == std::nullopt);
  for (const char* broken : {"", "0", "-5", "1e6", "12x", "99999999999999999999999"}) {
    CAPTURE(broken);
    CHECK(interval({{"WATCHDOG_USEC", broken}}) == std::nullopt);
  }
  CHECK(interval({}) == std::nullopt);
}

TEST_CASE("without a socket that can be used nothing is sent and nothing fails") {
  for (const std::string& socket : {std::string(), std::string("@"), std::string("/"), std::string("relative"),
                                    std::string("vsock:2:1234"), "/" + std::string(200, 'x')}) {
    CAPTURE(socket);
    const auto manager = manager_of({{"NOTIFY_SOCKET", socket}, {"WATCHDOG_USEC", "1000"}});
    CHECK_FALSE(manager.present());
    CHECK(manager.watchdog() == std::nullopt);
    manager.ready("");
  }
  manager_of({{"NOTIFY_SOCKET", "/nowhere/at/all"}}).ready("nobody listens");
}
