// HttpClient: HTTPS to one origin, for devices that may be slow, broken or hostile.
//
// What it promises, whatever the other side does:
//   - The deadline of a call holds for all of it: name, connect, TLS, and an answer
//     that comes byte by byte. A stop request ends it within milliseconds.
//   - The peer is known by a pinned key or a named CA, or nothing is sent. TLS 1.2
//     or newer. The system's CA bundle, proxies, .netrc and redirects play no part.
//   - Answers are capped: 64 KiB and 128 fields of head, `body_limit` of body, never
//     decompressed ("Accept-Encoding: identity").
//   - One connection, kept between calls where the peer allows it. A GET that finds
//     it gone is sent once more on a new one. Any other request is sent at most
//     once; if that got lost, HttpFailure::sent says so.
//   - An answer to which the peer gives neither length nor end (seen with 200, 202
//     and 304 of BMCs on kept connections) counts as empty after a quarter of a
//     second of silence.
//
// Thread rule: one call at a time per client, from any thread. Different clients
// are independent.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "base/http/message.hpp"
#include "base/tls/pin.hpp"
#include "core/call.hpp"
#include "core/result.hpp"

namespace nimbus::base {

enum class OnConnection : std::uint8_t {
  Any,      // a new one if need be
  Present,  // the one of the last answer; if it is gone: Conflict, and nothing was sent
};

enum class Coding : std::uint8_t {
  Identity,  // asks for an answer that is not compressed
  Unsaid,    // says nothing: some BMCs answer 406 to the wish above
};

struct ClientRequest {
  std::string method = "GET";
  std::string target = "/";  // path and query as the peer gave them
  HttpHeaders headers = {};
  std::string body = {};
  std::size_t body_limit = std::size_t{4} << 20U;
  OnConnection on = OnConnection::Any;
  Coding coding = Coding::Identity;
  MonoTime leave_by = MonoTime::max();  // it leaves before, or not at all
};

struct ClientResponse {
  int status = 0;
  HttpHeaders headers;
  std::string body;
  unsigned long connection = 0;  // number of the connection that it came on
  bool kept = false;             // whether the next request may use the same one

  std::optional<std::string_view> header(std::string_view name) const noexcept { return find_header(headers, name); }
};

/// Codes: Unreachable (name, refused, no connection in time, connection lost),
/// Untrusted (not the pinned key, not from that CA), Timeout (the call's deadline),
/// Cancelled, Conflict (OnConnection::Present, leave_by), Corrupt (no HTTP, or above a limit),
/// Invalid (a target or header that cannot be sent).
struct HttpFailure {
  Error error;
  bool sent = false;  // the peer may have got the request
};

class HttpClient {
 public:
  virtual ~HttpClient() = default;
  virtual tl::expected<ClientResponse, HttpFailure> send(const ClientRequest& request, const Call& call) = 0;
  /// The next request makes a new connection.
  virtual void drop_connection() = 0;
};

enum class ConnectionUse : std::uint8_t {
  Keep,
  CloseAfterEach,  // for peers that choke on kept connections
};

struct ClientOptions {
  std::string origin;         // "https://host" or "https://host:port", nothing behind it
  std::vector<SpkiPin> pins;  // any of them
  std::string ca_pem;         // certificates of the CA; with pins too, both must hold
  ConnectionUse use = ConnectionUse::Keep;
  std::chrono::milliseconds connect_time{10'000};  // name, TCP and TLS together
};

/// Sends nothing yet. Errors: Invalid (origin; neither pin nor CA), Internal.
Result<std::unique_ptr<HttpClient>> make_http_client(const ClientOptions& options);

/// The certificate that `origin` shows, in PEM, for a person to compare: this is the
/// one place where a peer is not verified, and nothing but the TLS handshake is sent.
/// Errors as HttpFailure.
Result<std::string> fetch_certificate(const std::string& origin, const Call& call);
/// The pin of that.
Result<SpkiPin> fetch_pin(const std::string& origin, const Call& call);

}  // namespace nimbus::base
