#include "simulator/http/message.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/text/text.hpp"

namespace nimbus::simulator::http {
namespace {

constexpr int kBadRequest = 400;
constexpr int kTooLarge = 413;
constexpr int kHeadTooLarge = 431;
constexpr int kUriTooLong = 414;
constexpr int kNotImplemented = 501;
constexpr int kVersion = 505;

bool is_token(std::string_view text) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kOthers.find(c) != std::string_view::npos;
  });
}

bool is_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

std::optional<std::size_t> parse_size(std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

bool lists_close(std::string_view value, std::string_view word) {
  for (const auto part : base::split(value, ',')) {
    if (base::equals_ignoring_case(base::trim(part), word)) return true;
  }
  return false;
}

}  // namespace

const std::string* Request::header(std::string_view name) const noexcept {
  for (const auto& [key, value] : headers) {
    if (key == name) return &value;
  }
  return nullptr;
}

std::string_view reason_phrase(int status) noexcept {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 409:
      return "Conflict";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Status";
  }
}

std::string render(const Response& response, const Request& request) {
  std::string out = fmt::format("HTTP/1.1 {} {}\r\n", response.status, reason_phrase(response.status));
  for (const auto& [name, value] : response.headers) {
    out += name;
    out += ": ";
    out += value;
    out += "\r\n";
  }
  const bool bodyless = response.status == 204 || response.status == 304;
  if (!bodyless && response.length == Response::Length::Sent && !response.stream)
    out += fmt::format("Content-Length: {}\r\n", response.body.size());
  // A body without a length ends with its connection (RFC 9112, 6.3).
  const bool close = response.after == Response::After::Close || !request.keep_alive || response.stream;
  out += close ? "Connection: close\r\n\r\n" : "Connection: keep-alive\r\n\r\n";
  if (!bodyless && request.method != "HEAD") out += response.body;
  return out;
}

RequestParser::State RequestParser::broken(int status) {
  refusal_ = status;
  pending_.clear();
  return state_ = State::Broken;
}

RequestParser::State RequestParser::feed(std::string_view bytes) {
  if (state_ == State::Broken) return state_;
  pending_ += bytes;
  // While a complete request waits to be taken, only a bounded rest may pile up behind it.
  if (state_ == State::Complete) return pending_.size() > kMostHead + kMostBody ? broken(kTooLarge) : state_;
  return parse();
}

RequestParser::State RequestParser::parse() {
  if (!body_size_) {
    // Empty lines in front of a request are skipped (RFC 9112, 2.2).
    std::size_t empty = 0;
    while (std::string_view(pending_).substr(empty).starts_with("\r\n")) empty += 2;
    pending_.erase(0, empty);
    const auto end = pending_.find("\r\n\r\n", searched_);
    if (end == std::string::npos) {
      if (pending_.size() > kMostHead) return broken(kHeadTooLarge);
      const auto line = pending_.find("\r\n");
      if (line == std::string::npos && pending_.size() > kMostLine) return broken(kUriTooLong);
      searched_ = pending_.size() < 3 ? 0 : pending_.size() - 3;
      return state_ = State::Incomplete;
    }
    if (end > kMostHead) return broken(kHeadTooLarge);
    searched_ = 0;
    refusal_ = kBadRequest;
    request_ = {};
    if (!parse_head(std::string_view(pending_).substr(0, end))) return broken(refusal_);
    pending_.erase(0, end + 4);
  }
  if (pending_.size() < *body_size_) return state_ = State::Incomplete;
  request_.body = pending_.substr(0, *body_size_);
  pending_.erase(0, *body_size_);
  return state_ = State::Complete;
}

bool RequestParser::parse_line(std::string_view line) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return false;
  const auto method = line.substr(0, first);
  const auto target = line.substr(first + 1, last - first - 1);
  const auto version = line.substr(last + 1);
  if (target.size() > kMostLine) {
    refusal_ = kUriTooLong;
    return false;
  }
  if (!is_token(method) || target.empty() || target[0] != '/' || !is_visible(target)) return false;
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    if (version.starts_with("HTTP/")) refusal_ = kVersion;
    return false;
  }
  request_.keep_alive = version == "HTTP/1.1";
  request_.method = method;
  const auto mark = target.find('?');
  request_.path = target.substr(0, mark);
  if (mark != std::string_view::npos) request_.query = target.substr(mark + 1);
  return true;
}

bool RequestParser::parse_header(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return false;
  const auto value = base::trim(line.substr(colon + 1));
  if (std::any_of(value.begin(), value.end(), [](char c) { return (c >= 0 && c < 0x20 && c != '\t') || c == 0x7f; }))
    return false;
  if (request_.headers.size() >= kMostHeaders) {
    refusal_ = kHeadTooLarge;
    return false;
  }
  request_.headers.emplace_back(base::to_lower(line.substr(0, colon)), std::string(value));
  return true;
}

bool RequestParser::parse_head(std::string_view head) {
  bool first = true;
  while (!head.empty()) {
    const auto end = head.find("\r\n");
    const auto line = head.substr(0, end);
    if (first ? !parse_line(line) : !parse_header(line)) return false;
    first = false;
    head = end == std::string_view::npos ? std::string_view() : head.substr(end + 2);
  }
  if (first) return false;
  body_size_ = 0;
  bool sized = false;
  for (const auto& [name, value] : request_.headers) {
    if (name == "transfer-encoding") {
      refusal_ = kNotImplemented;
      return false;
    }
    if (name == "content-length") {
      const auto size = parse_size(value);
      if (!size || sized) return false;  // two lengths are an attack, even if they agree
      sized = true;
      if (*size > kMostBody) {
        refusal_ = kTooLarge;
        return false;
      }
      body_size_ = *size;
    }
    if (name == "connection") {
      if (lists_close(value, "close")) request_.keep_alive = false;
      if (lists_close(value, "keep-alive")) request_.keep_alive = true;
    }
  }
  return true;
}

Request RequestParser::take() {
  Request out = std::move(request_);
  request_ = {};
  body_size_.reset();
  state_ = State::Incomplete;
  if (!pending_.empty()) parse();
  return out;
}

}  // namespace nimbus::simulator::http
