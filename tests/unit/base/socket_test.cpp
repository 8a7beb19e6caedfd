#include "base/net/socket.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string>

#include <doctest/doctest.h>

using namespace nimbus;
using namespace nimbus::base;

namespace {

bool wait_until(const FileDescriptor& fd, short events) {
  pollfd entry{fd.get(), events, 0};
  return ::poll(&entry, 1, 5000) == 1;
}

SocketAddress loopback(std::uint16_t port = 0) { return SocketAddress::numeric({"127.0.0.1", port}).value(); }

constexpr std::array<std::uint8_t, 4> kHello = {'h', 'e', 'l', 'o'};

struct TemporaryFolder {
  std::string path = "/tmp/nimbus-net-XXXXXX";
  TemporaryFolder() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  ~TemporaryFolder() {
    ::unlink((path + "/s").c_str());
    ::rmdir(path.c_str());
  }
};

}  // namespace

TEST_CASE("hosts and ports as people write them") {
  const auto parsed = [](std::string_view text) { return parse_host_port(text, 623).value(); };
  CHECK(parsed("bmc-1.example") == HostPort{"bmc-1.example", 623});
  CHECK(parsed("bmc-1.example:624") == HostPort{"bmc-1.example", 624});
  CHECK(parsed("192.0.2.1:9001") == HostPort{"192.0.2.1", 9001});
  CHECK(parsed("[::1]:624") == HostPort{"::1", 624});
  CHECK(parsed("[2001:db8::1]") == HostPort{"2001:db8::1", 623});
  CHECK(parsed("::1") == HostPort{"::1", 623});
  CHECK(parsed("[::1]:624").text() == "[::1]:624");
  CHECK(parsed("host:1").text() == "host:1");
}

TEST_CASE("texts that are no host and port") {
  for (const char* bad :
       {"", ":623", "host:", "host:0", "host:65536", "host:6 23", "host:+1", "-host", ".host", "ho st", "host;reboot",
        "host/x", "[::1", "[::1]624", "[host]:1", "1:2:3", "::1%eth0", "a\nb"}) {
    const auto result = parse_host_port(bad, 623);
    REQUIRE_MESSAGE(!result, bad);
    CHECK(result.error().code == Code::Invalid);
  }
  CHECK(!parse_host_port(std::string(254, 'a'), 623));
  CHECK(!parse_host_port(std::string_view("::1\0/evil", 9), 623));
}

TEST_CASE("addresses as text") {
  CHECK(SocketAddress::numeric({"192.0.2.1", 623}).value().text() == "192.0.2.1:623");
  CHECK(SocketAddress::numeric({"::1", 623}).value().text() == "[::1]:623");
  CHECK(SocketAddress::unix_path("/run/x.sock").value().text() == "unix:/run/x.sock");
  CHECK(SocketAddress::unix_path(std::string(107, 'x')).value().text() == "unix:" + std::string(107, 'x'));
  CHECK(SocketAddress().text().empty());
  CHECK(SocketAddress::numeric({"localhost", 1}).error().code == Code::Invalid);
  CHECK(!SocketAddress::unix_path(""));
  CHECK(!SocketAddress::unix_path(std::string(108, 'x')));
  CHECK(loopback(1) == loopback(1));
  CHECK_FALSE(loopback(1) == loopback(2));
}

TEST_CASE("resolving") {
  const auto numeric = resolve({"127.0.0.9", 7});
  REQUIRE(numeric);
  CHECK(numeric->front().text() == "127.0.0.9:7");
  const auto unknown = resolve({"no-such-host.invalid", 7});
  REQUIRE(!unknown);
  CHECK(unknown.error().code == Code::Unreachable);
}

TEST_CASE("UDP both ways, non-blocking, closed on exec") {
  const auto server = bind_udp(loopback());
  REQUIRE(server);
  const auto client = connect_udp(local_address(*server).value());
  REQUIRE(client);
  CHECK((::fcntl(client->get(), F_GETFL) & O_NONBLOCK) != 0);
  CHECK((::fcntl(client->get(), F_GETFD) & FD_CLOEXEC) != 0);
  std::array<std::uint8_t, 16> room{};
  CHECK_FALSE(receive_some(*client, room).value().has_value());  // would block
  CHECK(send_some(*client, kHello).value() == 4U);
  REQUIRE(wait_until(*server, POLLIN));
  CHECK(receive_some(*server, room).value() == 4U);
}

TEST_CASE("a closed UDP port shows as unreachable") {
  auto server = bind_udp(loopback());
  REQUIRE(server);
  const auto address = local_address(*server).value();
  server->reset();
  const auto client = connect_udp(address);
  REQUIRE(client);
  CHECK(send_some(*client, kHello));
  REQUIRE(wait_until(*client, POLLIN | POLLERR));
  std::array<std::uint8_t, 16> room{};
  const auto got = receive_some(*client, room);
  REQUIRE(!got);
  CHECK(got.error().code == Code::Unreachable);
}

TEST_CASE("TCP: listen, connect, accept, end") {
  const auto listener = listen_tcp(loopback());
  REQUIRE(listener);
  CHECK_FALSE(accept_connection(*listener).value().has_value());
  auto client = connect_tcp(local_address(*listener).value());
  REQUIRE(client);
  REQUIRE(wait_until(*listener, POLLIN));
  auto accepted = accept_connection(*listener);
  REQUIRE(accepted);
  REQUIRE(accepted->has_value());
  const FileDescriptor& server = accepted->value().socket;
  CHECK(accepted->value().peer == local_address(*client).value());
  REQUIRE(wait_until(*client, POLLOUT));
  CHECK(connect_result(*client));
  CHECK(set_no_delay(server));
  client->reset();
  REQUIRE(wait_until(server, POLLIN));
  std::array<std::uint8_t, 16> room{};
  CHECK(receive_some(server, room).value() == 0U);
  // The peer is gone: the second write must be an error, not a SIGPIPE.
  (void)send_some(server, kHello);
  REQUIRE(wait_until(server, POLLIN | POLLERR));
  CHECK(!send_some(server, kHello));
}

TEST_CASE("TCP: nobody listens, or somebody does already") {
  auto listener = listen_tcp(loopback());
  REQUIRE(listener);
  const auto address = local_address(*listener).value();
  CHECK(listen_tcp(address).error().code == Code::Conflict);
  listener->reset();
  const auto client = connect_tcp(address);
  if (client) {
    REQUIRE(wait_until(*client, POLLOUT));
    CHECK(connect_result(*client).error().code == Code::Unreachable);
  } else {
    CHECK(client.error().code == Code::Unreachable);
  }
}

TEST_CASE("UNIX sockets: mode, second listener, left-over file") {
  const TemporaryFolder folder;
  const std::string path = folder.path + "/s";
  auto listener = listen_unix(path, 0660);
  REQUIRE(listener);
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0660);
  CHECK(connect_unix(path));
  CHECK(listen_unix(path, 0660).error().code == Code::Conflict);
  listener->reset();  // the file stays, as after a crash
  CHECK(connect_unix(path).error().code == Code::Unreachable);
  CHECK(listen_unix(path, 0600));
}

TEST_CASE("a file descriptor closes once and moves") {
  FileDescriptor first(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  REQUIRE(first);
  const int number = first.get();
  FileDescriptor second(std::move(first));
  CHECK(second.get() == number);
  second = FileDescriptor();
  CHECK(::fcntl(number, F_GETFD) == -1);
  CHECK(errno == EBADF);
}
