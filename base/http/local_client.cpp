#include "base/http/local_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "base/net/socket.hpp"
#include "base/text/text.hpp"

namespace nimbus::base {
namespace {

constexpr std::string_view kUnix = "unix:";
constexpr std::size_t kMostHead = 64 * 1024;
constexpr std::size_t kMostHeaders = 100;
constexpr std::chrono::milliseconds kLook{200};  // how often a stop request is looked at

bool is_loopback(const SocketAddress& address) noexcept {
  if (address.family() == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address.data());
    return (ntohl(v4->sin_addr.s_addr) >> 24U) == 127;
  }
  return address.family() == AF_INET6 &&
         IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6*>(address.data())->sin6_addr);
}

Result<SocketAddress> loopback_address(const std::string& text) {
  const auto where = parse_host_port(text, 0);
  if (!where) return where.error();
  const auto address = SocketAddress::numeric(*where);
  if (!address) return address.error();
  if (!is_loopback(*address)) return Error{Code::Invalid, text + " is not of this machine: nothing would be encrypted"};
  return *address;
}

/// One request and its answer on a connection of its own.
class Exchange {
 public:
  Exchange(FileDescriptor socket, const Call& call, std::string peer)
      : socket_(std::move(socket)), call_(call), peer_(std::move(peer)) {}

  Result<> send_all(std::string_view text) {
    while (!text.empty()) {
      const auto done = send_some(socket_, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
      // The server may have answered and closed before it read everything.
      if (!done) return {};
      if (*done) {
        text.remove_prefix(**done);
      } else if (auto ready = wait(POLLOUT, true); !ready) {
        return ready;
      }
    }
    return {};
  }

  Result<LocalResponse> head() {
    while (true) {
      if (const auto end = in_.find("\r\n\r\n"); end != std::string::npos) {
        auto response = parse_head(std::string_view(in_).substr(0, end));
        in_.erase(0, end + 4);
        return response;
      }
      if (in_.size() > kMostHead) return Error{Code::Corrupt, "the answer's head is too large"};
      auto more = receive(true);
      if (!more) return std::move(more.error());
      if (!*more) return Error{Code::Unreachable, peer_ + " ended the connection without an answer"};
    }
  }

  Result<> body(LocalResponse& response) {
    std::optional<std::size_t> length;
    if (const auto said = find_header(response.headers, "Content-Length")) {
      std::size_t bytes = 0;
      const auto [end, error] = std::from_chars(said->data(), said->data() + said->size(), bytes);
      if (error != std::errc() || end != said->data() + said->size()) return Error{Code::Corrupt, "an unclear length"};
      length = bytes;
    }
    if (response.status == 204 || response.status == 304) length = 0;
    if (length && *length > LocalClient::kMostBody) return Error{Code::Corrupt, "the answer is too large"};
    while (!length || in_.size() < *length) {
      if (in_.size() > LocalClient::kMostBody) return Error{Code::Corrupt, "the answer is too large"};
      auto more = receive(true);
      if (!more) return std::move(more.error());
      if (!*more && length) return Error{Code::Unreachable, "the answer broke off"};
      if (!*more) break;
    }
    response.body = std::move(in_);
    if (length) response.body.resize(*length);
    return {};
  }

  Result<> pieces(const std::function<bool(std::string_view)>& piece) {
    while (true) {
      if (!in_.empty() && !piece(std::exchange(in_, std::string()))) return {};
      auto more = receive(false);
      if (!more) return std::move(more.error());
      if (!*more) return {};
    }
  }

 private:
  Result<> wait(short events, bool deadline_counts) {
    while (true) {
      if (call_.stop.stop_requested()) return Error{Code::Cancelled, "stopped"};
      auto left = kLook;
      if (deadline_counts) {
        const auto until =
            std::chrono::ceil<std::chrono::milliseconds>(call_.deadline - std::chrono::steady_clock::now());
        if (until.count() <= 0) return Error{Code::Timeout, peer_ + " does not answer in time"};
        left = std::min(left, until);
      }
      pollfd entry{socket_.get(), events, 0};
      if (::poll(&entry, 1, static_cast<int>(left.count())) > 0) return {};
    }
  }

  /// False: the peer ended the stream.
  Result<bool> receive(bool deadline_counts) {
    std::array<std::uint8_t, 16 * 1024> room{};
    while (true) {
      const auto got = receive_some(socket_, room);
      if (!got) return Error{Code::Unreachable, "the connection to " + peer_ + " broke: " + got.error().message};
      if (*got) {
        in_.append(reinterpret_cast<const char*>(room.data()), **got);
        return **got != 0;
      }
      if (auto ready = wait(POLLIN, deadline_counts); !ready) return std::move(ready.error());
    }
  }

  static Result<LocalResponse> parse_head(std::string_view text) {
    const Error bad{Code::Corrupt, "the answer is no HTTP/1.1"};
    LocalResponse response;
    std::string_view line = text.substr(0, text.find("\r\n"));
    if (!line.starts_with("HTTP/1.1 ") || line.size() < 12) return bad;
    const auto [end, error] = std::from_chars(line.data() + 9, line.data() + 12, response.status);
    if (error != std::errc() || end != line.data() + 12) return bad;
    text.remove_prefix(std::min(text.size(), line.size() + 2));
    while (!text.empty()) {
      line = text.substr(0, text.find("\r\n"));
      const auto colon = line.find(':');
      if (colon == std::string_view::npos || response.headers.size() == kMostHeaders) return bad;
      response.headers.push_back({std::string(line.substr(0, colon)), std::string(trim(line.substr(colon + 1)))});
      text.remove_prefix(std::min(text.size(), line.size() + 2));
    }
    return response;
  }

  FileDescriptor socket_;
  const Call& call_;
  const std::string peer_;
  std::string in_;
};

Result<FileDescriptor> connect(const std::string& address) {
  if (address.starts_with(kUnix)) return connect_unix(std::string_view(address).substr(kUnix.size()));
  const auto peer = loopback_address(address);
  if (!peer) return peer.error();
  return connect_tcp(*peer);
}

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f && c != ':'; });
}

/// Nothing that a caller passes on may begin another line.
Result<std::string> serialise(const LocalRequest& request) {
  const auto printable_line = [](std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
  };
  const bool target_is_fine = request.target.starts_with('/') && printable_line(request.target) &&
                              request.target.find(' ') == std::string::npos;
  if (!is_token(request.method) || !target_is_fine) return Error{Code::Invalid, "not a request that can be sent"};
  std::string text =
      fmt::format("{} {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n", request.method, request.target);
  for (const auto& header : request.headers) {
    if (!is_token(header.name) || !printable_line(header.value))
      return Error{Code::Invalid, "not a header that can be sent"};
    text += fmt::format("{}: {}\r\n", header.name, header.value);
  }
  if (!request.body.empty() || request.method != "GET")
    text += fmt::format("Content-Length: {}\r\n", request.body.size());
  return text + "\r\n" + request.body;
}

Result<Exchange> begin(const std::string& address, const LocalRequest& request, const Call& call) {
  auto text = serialise(request);
  if (!text) return std::move(text.error());
  auto socket = connect(address);
  if (!socket) return std::move(socket.error()).with("while connecting to " + address);
  Exchange exchange(std::move(*socket), call, address);
  if (auto sent = exchange.send_all(*text); !sent) return std::move(sent.error());
  return exchange;
}

}  // namespace

Result<LocalClient> LocalClient::make(const std::string& address) {
  if (!address.starts_with(kUnix)) {
    if (auto peer = loopback_address(address); !peer) return std::move(peer.error());
  } else if (address.size() <= kUnix.size() + 1 || address[kUnix.size()] != '/') {
    return Error{Code::Invalid, address + ": an absolute path belongs behind unix:"};
  }
  return LocalClient(address);
}

Result<LocalResponse> LocalClient::send(const LocalRequest& request, const Call& call) const {
  auto exchange = begin(address_, request, call);
  if (!exchange) return std::move(exchange.error());
  auto response = exchange->head();
  if (!response) return response;
  if (auto body = exchange->body(*response); !body) return std::move(body.error());
  return response;
}

Result<LocalResponse> LocalClient::stream(const LocalRequest& request, const Call& call,
                                          const std::function<bool(std::string_view)>& piece) const {
  auto exchange = begin(address_, request, call);
  if (!exchange) return std::move(exchange.error());
  auto response = exchange->head();
  if (!response) return response;
  auto ended = response->status == 200 ? exchange->pieces(piece) : exchange->body(*response);
  if (!ended) return std::move(ended.error());
  return response;
}

}  // namespace nimbus::base
