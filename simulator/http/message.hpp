// HTTP requests and responses as values, and reading requests from a stream of bytes.
//
// Source: RFC 9110 and 9112. Bodies come with Content-Length only; a request with
// Transfer-Encoding is refused (501), as simple BMCs do. Thread rule: plain values.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nimbus::simulator::http {

using Header = std::pair<std::string, std::string>;

struct Request {
  std::string method;
  std::string path;             // as sent, up to the question mark
  std::string query;            // behind it
  std::vector<Header> headers;  // names in lower case
  std::string body;
  bool keep_alive = true;

  /// The first header of that (lower case) name, or null.
  const std::string* header(std::string_view name) const noexcept;
};

/// How an answer is spoiled on its way; nothing by default.
struct Spoil {
  std::chrono::milliseconds delay{0};
  bool drop = false;                            // close without a word
  std::optional<std::size_t> truncate_after;    // bytes, then close
  std::optional<std::size_t> bytes_per_second;  // drip
};

struct Response {
  int status = 200;
  std::vector<Header> headers = {};  // without Content-Length and Connection
  std::string body = {};
  enum class After : std::uint8_t { KeepOpen, Close } after = After::KeepOpen;
  enum class Length : std::uint8_t { Sent, Omitted } length = Length::Sent;
  Spoil spoil = {};
  /// The body has no end: more follows by this number (Server::publish).
  std::optional<std::uint64_t> stream = {};
};

std::string_view reason_phrase(int status) noexcept;
/// The bytes of a response; a HEAD request gets none of the body.
std::string render(const Response& response, const Request& request);

/// Reads requests one after the other; what comes behind one waits for take().
class RequestParser {
 public:
  static constexpr std::size_t kMostLine = 8 * 1024;  // what common servers allow
  static constexpr std::size_t kMostHead = 16 * 1024;
  static constexpr std::size_t kMostHeaders = 64;
  static constexpr std::size_t kMostBody = 1024 * 1024;

  enum class State : std::uint8_t { Incomplete, Complete, Broken };

  State feed(std::string_view bytes);
  State state() const noexcept { return state_; }
  /// The status to answer a broken request with; the connection is of no use then.
  int refusal() const noexcept { return refusal_; }
  /// The complete request. Afterwards state() tells whether the next one is there already.
  Request take();
  bool idle() const noexcept { return pending_.empty() && state_ == State::Incomplete; }

 private:
  State parse();
  bool parse_head(std::string_view head);
  bool parse_line(std::string_view line);
  bool parse_header(std::string_view line);
  State broken(int status);

  std::string pending_;
  std::size_t searched_ = 0;  // no end of the head before here
  Request request_;
  std::optional<std::size_t> body_size_;  // once the head is read
  State state_ = State::Incomplete;
  int refusal_ = 400;
};

}  // namespace nimbus::simulator::http
