// LocalClient: plain HTTP/1.1 to a server of this machine, over a UNIX socket or
// loopback: what nimbusctl asks nimbusd with. One connection per request; anything that
// is no loopback address is refused, since nothing is encrypted.
//
// Errors: Invalid (address), Unreachable (nobody listens, or the answer broke off),
// Timeout, Cancelled, Corrupt (no HTTP, or above a limit). Thread rule: safe from any
// thread.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "base/http/message.hpp"
#include "core/call.hpp"
#include "core/result.hpp"

namespace nimbus::base {

struct LocalRequest {
  std::string method = "GET";
  std::string target = "/";
  HttpHeaders headers = {};
  std::string body = {};
};

struct LocalResponse {
  int status = 0;
  HttpHeaders headers;
  std::string body;
};

class LocalClient {
 public:
  static constexpr std::size_t kMostBody = std::size_t{16} << 20U;

  /// "unix:/path", "127.0.0.1:9640", "[::1]:9640". Connects to nobody yet.
  static Result<LocalClient> make(const std::string& address);

  Result<LocalResponse> send(const LocalRequest& request, const Call& call) const;

  /// For an answer without an end: each piece of a body with status 200 as it comes,
  /// until the server ends it or `piece` says false. Other answers are returned whole.
  /// The call's deadline holds for the head; then only its stop token counts.
  Result<LocalResponse> stream(const LocalRequest& request, const Call& call,
                               const std::function<bool(std::string_view)>& piece) const;

 private:
  explicit LocalClient(std::string address) : address_(std::move(address)) {}
  std::string address_;
};

}  // namespace nimbus::base
