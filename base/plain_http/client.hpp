// Plain HTTP/1.1 without TLS: small documents from a UNIX socket or the provisioning
// network, and disk images as streams. What comes from a network is trusted by
// signature or digest, never by where it came from.
//
// Hostile answers: 16 KiB of head, a body above its limit is an error, chunked bodies
// are refused (no length means no way to tell a cut); redirects are followed only where
// a source's rules allow the place, five times at most. Errors: Invalid
// (URL), Unreachable (no connection, cut), Timeout, Corrupt (no HTTP), and by status:
// NotFound (404), Auth (401, 403), Conflict (409), Busy (5xx), Invalid (others).
// Thread rule: safe from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/net/socket_address.hpp"
#include "core/call.hpp"
#include "core/ports/clock.hpp"
#include "core/result.hpp"

namespace nimbus::base {

struct HttpUrl {
  std::string host;
  std::uint16_t port = 80;
  std::string target = "/";
  friend bool operator==(const HttpUrl&, const HttpUrl&) = default;
};

/// http only. Errors: Invalid.
Result<HttpUrl> parse_http_url(std::string_view url);
/// http or https. Errors: Invalid.
Result<HttpUrl> parse_web_url(std::string_view url);

struct HttpQuestion {
  std::string method = "GET";
  std::string url;
  std::string headers = {};  // whole lines, each with CR LF
  std::string body = {};
  std::string unix_socket = {};  // path: connects there, whatever host the URL names
  std::size_t body_limit = std::size_t{1} << 20U;
};

/// The body of a 2xx answer.
Result<std::string> http_request(const HttpQuestion& question, const Call& call, const Clock& clock);

using ByteSink = std::function<Result<>(std::span<const std::uint8_t>)>;

/// Where the bytes of an image come from.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Hands all bytes from `offset` to the end to `sink`. An error after some bytes is
  /// no harm: ask again with a higher offset. Errors: also those of `sink`, unchanged.
  virtual Result<> read(std::int64_t offset, const ByteSink& sink) = 0;
};

/// Where a source may go. Empty functions: no redirect; any address.
struct SourceRules {
  std::function<Result<>(const std::string& url)> redirect;
  std::function<Result<>(const SocketAddress& address)> address;
};

/// A URL as a source. `stall`: so long without a byte and the connection counts as cut.
class HttpSource final : public ByteSource {
 public:
  HttpSource(std::string url, const Clock& clock, SourceRules rules = {},
             std::chrono::milliseconds stall = std::chrono::seconds(30))
      : url_(std::move(url)), clock_(clock), rules_(std::move(rules)), stall_(stall) {}
  Result<> read(std::int64_t offset, const ByteSink& sink) override;

 private:
  Result<std::string> read_from(const std::string& from, std::int64_t offset, const ByteSink& sink);

  std::string url_;
  const Clock& clock_;
  SourceRules rules_;
  std::chrono::milliseconds stall_;
};

}  // namespace nimbus::base
