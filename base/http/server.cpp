#include "base/http/server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>

#include "base/http/server_loop.hpp"

namespace nimbus::base {
namespace {

bool is_loopback(const SocketAddress& address) noexcept {
  if (address.family() == AF_UNIX) return true;
  if (address.family() == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address.data());
    return (ntohl(v4->sin_addr.s_addr) >> 24U) == 127;
  }
  if (address.family() == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address.data());
    return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
  }
  return false;
}

constexpr std::string_view kUnix = "unix:";

/// Of a TCP listener. Errors: Invalid.
Result<SocketAddress> address_to_listen_on(const HttpListen& listen) {
  // ":0" asks for any free port, which parse_host_port rightly knows nothing of.
  std::string_view text = listen.address;
  if (text.ends_with(":0") && (text.starts_with('[') || text.find(':') == text.size() - 2)) text.remove_suffix(2);
  const auto where = parse_host_port(text, 0);
  if (!where) return Error(where.error()).with("listen address of the HTTP server");
  const auto address = SocketAddress::numeric(*where);
  if (!address) return Error(address.error()).with("listen address of the HTTP server");
  if (!is_loopback(*address) && listen.exposure != Exposure::Anywhere) {
    return Error{Code::Invalid, address->text() +
                                    " can be reached from a network; this server has no TLS and belongs behind a "
                                    "proxy: listen on a UNIX socket or on 127.0.0.1, or allow the exposure explicitly"};
  }
  return *address;
}

Result<FileDescriptor> open_listener(const HttpListen& listen) {
  if (listen.address.starts_with(kUnix))
    return listen_unix(std::string_view(listen.address).substr(kUnix.size()), listen.unix_mode);
  const auto address = address_to_listen_on(listen);
  return address ? listen_tcp(*address) : address.error();
}

}  // namespace

Result<> check_listen(const HttpListen& listen) {
  if (listen.address.starts_with(kUnix)) return {};
  const auto address = address_to_listen_on(listen);
  if (!address) return address.error();
  return {};
}

std::optional<std::string_view> HttpRequest::parameter(std::string_view name) const noexcept {
  const auto found =
      std::find_if(parameters.begin(), parameters.end(), [&](const auto& entry) { return entry.first == name; });
  return found == parameters.end() ? std::nullopt : std::optional<std::string_view>(found->second);
}

Result<std::unique_ptr<HttpServer>> HttpServer::start(const HttpListen& listen, std::vector<HttpRoute> routes,
                                                      const HttpServerLimits& limits) {
  for (const auto& route : routes) {
    if (route.method.empty() || !route.path.starts_with('/') || !route.handler)
      return Error{Code::Invalid, "HTTP route without method, path or handler: " + route.path};
  }
  auto listener = open_listener(listen);
  if (!listener) return std::move(listener.error());
  const auto address = local_address(*listener);
  if (!address) return address.error();
  auto events = EventLoop::create();
  if (!events) return std::move(events.error());
  auto loop = std::make_unique<Loop>(std::move(*events), std::move(*listener), std::move(routes), limits);
  if (auto started = loop->start(); !started) return std::move(started.error());
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(loop), address->text(), address->port()));
}

HttpServer::HttpServer(std::unique_ptr<Loop> loop, std::string address, std::uint16_t port)
    : loop_(std::move(loop)), address_(std::move(address)), port_(port) {}

HttpServer::~HttpServer() { stop(); }

void HttpServer::stop() { loop_->stop(); }

}  // namespace nimbus::base
