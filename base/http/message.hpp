// What HTTP messages share on both sides: header fields, and the head of a request
// as text (RFC 9110, RFC 9112).
//
// Thread rule: plain values; the functions are safe from any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

namespace nimbus::base {

struct HttpHeader {
  std::string name;
  std::string value;
};
using HttpHeaders = std::vector<HttpHeader>;

/// Value of the first field called `name`, whatever its case.
std::optional<std::string_view> find_header(const HttpHeaders& headers, std::string_view name) noexcept;

/// The reason phrase of a status; "" for one that we do not use.
std::string_view status_phrase(int status) noexcept;

/// A request is refused before anybody acts on it: the status to answer with, and
/// why, as a sentence that repeats nothing of what was sent.
struct HeadRefusal {
  int status = 400;
  std::string_view reason;
};

struct RequestHead {
  enum class Version { Http10, Http11 };
  std::string method;
  std::string path;                                             // decoded, UTF-8, no control characters
  std::vector<std::pair<std::string, std::string>> parameters;  // of the query, decoded, in order
  HttpHeaders headers;
  Version version = Version::Http11;
  std::size_t content_length = 0;
  bool keep_alive = true;
};

struct HeadLimits {
  std::size_t target_bytes = 4096;
  std::size_t headers = 64;
};

/// `head` is everything before the empty line, without the CR LF CR LF. Refused is
/// whatever two readers could understand differently or that this server does not
/// offer: bare CR or LF, folded lines, Transfer-Encoding, unclear lengths, content
/// codings, ranges, multipart, Expect.
tl::expected<RequestHead, HeadRefusal> parse_request_head(std::string_view head, const HeadLimits& limits = {});

}  // namespace nimbus::base
