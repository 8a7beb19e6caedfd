#include "drivers/ssh/session.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string_view>
#include <utility>

#include <libssh/libssh.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "base/net/socket.hpp"
#include "base/text/text.hpp"

namespace nimbus::ssh {
namespace {

using std::chrono::milliseconds;

constexpr std::uint16_t kPort = 22;
/// libssh cuts the descriptor that is given to it to 16 bits.
constexpr int kMostDescriptor = 0xffff;
/// Before the login is done. Keys, certificates and a banner for people are some kilobytes.
constexpr std::uint64_t kMostBeforeLogin = 512 * 1024;
/// A stop request is seen within this.
constexpr milliseconds kSlice{50};

Result<> wait_for(int fd, short events, const Call& call, const Clock& clock) {
  for (;;) {
    if (call.stop.stop_requested()) return Error{Code::Cancelled, "stopped"};
    const auto left = call.remaining(clock.now());
    if (left == milliseconds{0}) return Error{Code::Timeout, "no answer within the deadline"};
    pollfd watched{fd, events, 0};
    const int ready = ::poll(&watched, 1, static_cast<int>(std::min(left, kSlice).count()));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return base::socket_error("while waiting for the host", errno);
  }
}

/// The kernel finds out that the other end has gone, also while nobody uses the session.
void keep_alive(int fd) {
  const int on = 1;
  const int idle_seconds = 30;
  const int between_seconds = 10;
  const int probes = 3;
  (void)::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  (void)::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_seconds, sizeof idle_seconds);
  (void)::setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &between_seconds, sizeof between_seconds);
  (void)::setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

Result<base::FileDescriptor> connect_to(const base::SocketAddress& peer, const Call& call, const Clock& clock) {
  auto socket = base::connect_tcp(peer);
  if (!socket) return socket;
  if (auto ready = wait_for(socket->get(), POLLOUT, call, clock); !ready) return std::move(ready.error());
  if (auto connected = base::connect_result(*socket); !connected) return std::move(connected.error());
  return socket;
}

}  // namespace

/// Without ssh_disconnect(): it forgets a socket that was given to it, without closing it.
void Session::Free::operator()(ssh_session_struct* session) const noexcept { ssh_free(session); }

Session::Session(std::string user, const Clock& clock, base::Resolver* names)
    : user_(std::move(user)),
      clock_(clock),
      names_(names),
      heard_(std::make_unique<ssh_counter_struct>()),
      session_(ssh_new()) {}
Session::~Session() = default;

Result<std::unique_ptr<Session>> Session::open(const HostEndpoint& endpoint, const HostKey& host_key, const Key& own,
                                               const Call& call, const Clock& clock, base::Resolver& names) {
  std::unique_ptr<Session> session(new Session(endpoint.user, clock, &names));
  if (auto met = session->meet(endpoint.address, host_key, call); !met) return std::move(met.error());
  if (auto known = session->log_in(own, call); !known) return std::move(known.error());
  return session;
}

Result<> Session::prove(const std::string& address, const HostKey& host_key, const Call& call, const Clock& clock) {
  return Session("nobody", clock, nullptr).meet(address, host_key, call);
}

Result<> Session::meet(const std::string& address, const HostKey& host_key, const Call& call) {
  if (!session_) return Error{Code::Internal, "out of memory for an SSH session"};
  const auto where = base::parse_host_port(address, kPort);
  if (!where) return where.error();
  if (auto set = configure(where->host, host_key); !set) return set;
  if (auto connected = connect(*where, call); !connected) return connected;
  if (auto shaken = shake_hands(call); !shaken) return shaken;
  return compare_key(host_key);
}

Result<> Session::configure(const std::string& host, const HostKey& host_key) {
  ssh_session session = session_.get();
  const auto text = [session](ssh_options_e option, const std::string& value) {
    return ssh_options_set(session, option, value.c_str()) == SSH_OK;
  };
  const auto flag = [session](ssh_options_e option, int value) {
    return ssh_options_set(session, option, &value) == SSH_OK;
  };
  const bool config_off = [session] {
    const bool process = false;
    return ssh_options_set(session, SSH_OPTIONS_PROCESS_CONFIG, &process) == SSH_OK;
  }();
  const bool set = config_off && text(SSH_OPTIONS_HOST, host) && text(SSH_OPTIONS_USER, user_) &&
                   text(SSH_OPTIONS_SSH_DIR, "/nonexistent") && text(SSH_OPTIONS_KNOWNHOSTS, "/dev/null") &&
                   text(SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null") &&
                   text(SSH_OPTIONS_HOSTKEYS, host_key.algorithms) && text(SSH_OPTIONS_COMPRESSION, "no") &&
                   flag(SSH_OPTIONS_NODELAY, 1);
  if (!set) {
    return Error{Code::Internal, std::string("libssh refuses a setting: ") + ssh_get_error(session)};
  }
  ssh_set_blocking(session, 0);
  ssh_set_counters(session, heard_.get(), nullptr);
  return {};
}

Result<> Session::connect(const base::HostPort& where, const Call& call) {
  base::Resolver::Answer peers = std::vector<base::SocketAddress>();
  if (auto numeric = base::SocketAddress::numeric(where)) {
    peers->push_back(*numeric);
  } else if (names_ != nullptr) {
    peers = names_->resolve(where, call);
  } else {
    return std::move(numeric.error());
  }
  if (!peers) {
    // As below.
    if (peers.error().code == Code::Timeout) peers.error().code = Code::Unreachable;
    return std::move(peers.error());
  }
  Error last{Code::Unreachable, "the name has no address"};
  for (const auto& peer : *peers) {
    auto socket = connect_to(peer, call, clock_);
    if (!socket) {
      last = std::move(socket.error()).with("while connecting to " + peer.text());
      // Before a connection stands nothing can have had an effect.
      if (last.code == Code::Timeout) last.code = Code::Unreachable;
      if (last.code == Code::Cancelled) return last;
      continue;
    }
    keep_alive(socket->get());
    if (socket->get() > kMostDescriptor) return Error{Code::Internal, "too many open descriptors for libssh"};
    const int fd = socket->release();  // libssh closes it
    if (ssh_options_set(session_.get(), SSH_OPTIONS_FD, &fd) != SSH_OK) {
      return Error{Code::Internal, "libssh does not take a socket"};
    }
    return {};
  }
  return last;
}

Result<> Session::wait_before_login(const Call& call) {
  if (heard_->in_bytes > kMostBeforeLogin) {
    return Error{Code::Corrupt, "what answers talks without end before anybody is logged in"};
  }
  return wait(call);
}

Result<> Session::wait(const Call& call) {
  const int flags = ssh_get_poll_flags(session_.get());
  const short events = (flags & SSH_WRITE_PENDING) != 0 ? POLLIN | POLLOUT : POLLIN;
  return wait_for(ssh_get_fd(session_.get()), events, call, clock_);
}

/// What libssh says of a connection that is of no more use. It may repeat what the host said.
Error Session::lost(std::string_view doing) const {
  const std::string said = base::printable(ssh_get_error(session_.get()), 200);
  Code code = Code::Corrupt;
  for (const std::string_view sign : {"ocket error", "onnection", "isconnect", "closed", "EOF"}) {
    if (said.find(sign) != std::string::npos) code = Code::Unreachable;
  }
  if (said.find("host key algo") != std::string::npos) code = Code::Untrusted;
  std::string message = code == Code::Untrusted     ? "the host has no key of the pinned type"
                        : code == Code::Unreachable ? "the host ended the connection"
                                                    : "what answers does not speak SSH as it should";
  if (!said.empty()) message += " (" + said + ")";
  return Error{code, std::move(message)}.with(std::string(doing));
}

Result<> Session::shake_hands(const Call& call) {
  for (;;) {
    const int result = ssh_connect(session_.get());
    if (result == SSH_OK) return {};
    if (result != SSH_AGAIN) return lost("while agreeing on keys");
    if (auto ready = wait_before_login(call); !ready) {
      Error error = std::move(ready.error());
      if (error.code == Code::Timeout)
        error = {Code::Timeout, "the host accepted the connection and did not finish the SSH handshake in time"};
      return error;
    }
  }
}

Result<> Session::compare_key(const HostKey& pinned) {
  ssh_key raw = nullptr;
  if (ssh_get_server_publickey(session_.get(), &raw) != SSH_OK) return lost("while reading the host's key");
  const Key key(raw);
  auto shown = public_base64(key);
  if (!shown) return std::move(shown.error());
  if (*shown == pinned.base64) return {};
  return Error{Code::Untrusted, "the host shows another key (" + std::string(ssh_key_type_to_char(ssh_key_type(raw))) +
                                    " " + *shown + ") than the pinned one; nothing was sent to it"};
}

Result<> Session::log_in(const Key& own, const Call& call) {
  for (;;) {
    const int result = ssh_userauth_publickey(session_.get(), nullptr, own.get());
    if (result == SSH_AUTH_SUCCESS) return {};
    if (result == SSH_AUTH_DENIED || result == SSH_AUTH_PARTIAL) {
      return Error{Code::Auth, "the host does not let \"" + user_ +
                                   "\" in with the controller's key: that key must be in " +
                                   "the account's authorized_keys" +
                                   (result == SSH_AUTH_PARTIAL ? ", and must be enough by itself" : "")};
    }
    if (result != SSH_AUTH_AGAIN) return lost("while logging in");
    if (auto ready = wait_before_login(call); !ready) return std::move(ready.error()).with("while logging in");
  }
}

}  // namespace nimbus::ssh
