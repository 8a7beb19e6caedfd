#include "base/http/curl_exchange.hpp"

#include <curl/curl.h>

#include <charconv>

#include "base/text/text.hpp"

namespace nimbus::base {
namespace {

constexpr std::size_t kMostHeadBytes = 64 * 1024;
constexpr std::size_t kMostHeaders = 128;

}  // namespace

void Exchange::reset_head() {
  response.headers.clear();
  has_length = has_coding = head_done = false;
}

bool Exchange::silent_since_head(MonoTime now) const {
  return head_done && !has_length && !has_coding && response.body.empty() && now - head_at >= kSilence;
}

bool Exchange::take_body(std::string_view piece) {
  if (response.body.size() + piece.size() > request->body_limit) {
    too_large = true;
    return false;
  }
  response.body += piece;
  return true;
}

bool Exchange::take_header(std::string_view line) {
  head_bytes += line.size();
  if (head_bytes > kMostHeadBytes || response.headers.size() >= kMostHeaders) {
    too_large = true;
    return false;
  }
  if (line.starts_with("HTTP/")) {
    reset_head();  // after a 1xx
    const auto space = line.find(' ');
    int status = 0;
    if (space != std::string_view::npos) std::from_chars(line.data() + space + 1, line.data() + line.size(), status);
    response.status = status;
    old_version = line.starts_with("HTTP/1.0");
    return true;
  }
  const auto text = trim(line);
  if (text.empty()) {
    head_done = response.status >= 200;
    head_at = std::chrono::steady_clock::now();
    return true;
  }
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return true;
  HttpHeader header{std::string(text.substr(0, colon)), std::string(trim(text.substr(colon + 1)))};
  if (equals_ignoring_case(header.name, "Content-Length")) {
    has_length = true;
    std::from_chars(header.value.data(), header.value.data() + header.value.size(), announced);
    if (announced > request->body_limit && request->method != "HEAD") {
      too_large = true;
      return false;
    }
  }
  if (equals_ignoring_case(header.name, "Transfer-Encoding")) has_coding = true;
  response.headers.push_back(std::move(header));
  return true;
}

Error error_of(int code, const Exchange& exchange, const char* detail) {
  if (exchange.too_large) return {Code::Corrupt, "the answer is larger than what is read"};
  if (exchange.too_late) return {Code::Conflict, "it came too late to be sent; nothing was sent"};
  if (exchange.open_refused && !exchange.sent) return {Code::Conflict, "the connection was lost; nothing was sent"};
  if (exchange.open_refused) return {Code::Unreachable, "the connection was lost before the answer came"};
  if (exchange.head_done && (code == CURLE_RECV_ERROR || code == CURLE_PARTIAL_FILE))
    return {Code::Corrupt, "the answer ended early"};
  // How libcurl calls a head line above its own limit.
  if (exchange.sent && code == CURLE_OUT_OF_MEMORY) return {Code::Corrupt, "the answer is larger than what is read"};
  const std::string said =
      printable(detail != nullptr && *detail != '\0' ? detail : curl_easy_strerror(static_cast<CURLcode>(code)), 300);
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return {Code::Unreachable, "no such host name"};
    case CURLE_COULDNT_CONNECT:
      return {Code::Unreachable, "no connection: " + said};
    case CURLE_OPERATION_TIMEDOUT:
      return {Code::Unreachable, "no connection in time"};
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
      return {Code::Untrusted, "the peer's key is not the pinned one; nothing was sent to it"};
    case CURLE_PEER_FAILED_VERIFICATION:
      return {Code::Untrusted, "the peer's certificate is not trusted; nothing was sent to it: " + said};
    case CURLE_SSL_CONNECT_ERROR:
      return {Code::Unreachable, "no TLS connection: " + said};
    case CURLE_SSL_CACERT_BADFILE:
      return {Code::Invalid, "the CA's certificates cannot be read"};
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
      return {Code::Unreachable, "the connection was lost before the answer came"};
    case CURLE_PARTIAL_FILE:
      return {Code::Corrupt, "the answer ended early"};
    case CURLE_URL_MALFORMAT:
      return {Code::Invalid, "the request's target cannot be sent"};
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
      return {Code::Internal, said};
    default:
      return {Code::Corrupt, "no usable HTTP answer: " + said};
  }
}

}  // namespace nimbus::base
