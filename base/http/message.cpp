#include "base/http/message.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text/text.hpp"

namespace nimbus::base {
namespace {

using Refused = tl::unexpected<HeadRefusal>;
using Step = tl::expected<void, HeadRefusal>;

bool is_token(std::string_view text) noexcept {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";  // RFC 9110, 5.6.2
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

bool has_control(std::string_view text) noexcept {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

/// Percent-decoded; nothing for a broken escape, a control character or bytes that
/// are no UTF-8.
std::optional<std::string> decode(std::string_view text, char space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == space && space != '\0') {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const auto byte = i + 3 <= text.size() ? from_hex(text.substr(i + 1, 2)) : std::nullopt;
      if (!byte) return std::nullopt;
      out += static_cast<char>(byte->front());
      i += 2;
    }
  }
  if (has_control(out) || !is_valid_utf8(out)) return std::nullopt;
  return out;
}

Step read_target(std::string_view target, const HeadLimits& limits, RequestHead& out) {
  if (target.size() > limits.target_bytes) return Refused({414, "request target too long"});
  if (!target.starts_with('/')) return Refused({400, "request target is no path"});
  const auto question = target.find('?');
  auto path = decode(target.substr(0, question), '\0');
  if (!path) return Refused({400, "malformed path"});
  out.path = std::move(*path);
  if (question == std::string_view::npos) return {};
  const auto parts = split(target.substr(question + 1), '&');
  if (parts.size() > limits.headers) return Refused({400, "too many parameters"});
  for (const auto part : parts) {
    const auto equals = part.find('=');
    auto name = decode(part.substr(0, equals), '+');
    auto value = equals == std::string_view::npos ? std::string() : decode(part.substr(equals + 1), '+');
    if (!name || !value) return Refused({400, "malformed query"});
    if (!name->empty()) out.parameters.emplace_back(std::move(*name), std::move(*value));
  }
  return {};
}

Step read_request_line(std::string_view line, const HeadLimits& limits, RequestHead& out) {
  const auto parts = split(line, ' ');
  if (parts.size() != 3 || has_control(line)) return Refused({400, "malformed request line"});
  if (!is_token(parts[0]) || parts[0].size() > 16) return Refused({400, "malformed method"});
  out.method = parts[0];
  if (parts[2] == "HTTP/1.1") {
    out.version = RequestHead::Version::Http11;
  } else if (parts[2] == "HTTP/1.0") {
    out.version = RequestHead::Version::Http10;
    out.keep_alive = false;
  } else {
    return Refused({505, "only HTTP/1.0 and HTTP/1.1 are spoken here"});
  }
  return read_target(parts[1], limits, out);
}

Step read_header_line(std::string_view line, RequestHead& out) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon)))
    return Refused({400, "malformed header field"});
  const auto value = trim(line.substr(colon + 1));
  const bool control = std::any_of(value.begin(), value.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7f;
  });
  if (control) return Refused({400, "control character in a header field"});
  out.headers.push_back({std::string(line.substr(0, colon)), std::string(value)});
  return {};
}

std::size_t count(const HttpHeaders& headers, std::string_view name) noexcept {
  return static_cast<std::size_t>(std::count_if(headers.begin(), headers.end(), [&](const HttpHeader& header) {
    return equals_ignoring_case(header.name, name);
  }));
}

Step read_content_length(RequestHead& out) {
  if (count(out.headers, "Transfer-Encoding") != 0) return Refused({411, "Content-Length required"});
  const auto lengths = count(out.headers, "Content-Length");
  if (lengths > 1) return Refused({400, "more than one Content-Length"});
  if (lengths == 0) {
    if (out.method == "POST" || out.method == "PUT" || out.method == "PATCH")
      return Refused({411, "Content-Length required"});
    return {};
  }
  const auto text = *find_header(out.headers, "Content-Length");
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, out.content_length);
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
  if (!digits || stopped != end || error != std::errc()) return Refused({400, "malformed Content-Length"});
  return {};
}

Step check_meaning(RequestHead& out) {
  const auto hosts = count(out.headers, "Host");
  if (hosts > 1 || (hosts == 0 && out.version == RequestHead::Version::Http11))
    return Refused({400, "exactly one Host is needed"});
  if (const auto coding = find_header(out.headers, "Content-Encoding"); coding && *coding != "identity")
    return Refused({415, "content codings are not accepted"});
  if (const auto type = find_header(out.headers, "Content-Type"); type && to_lower(*type).starts_with("multipart/"))
    return Refused({415, "multipart bodies are not accepted"});
  if (count(out.headers, "Range") != 0) return Refused({400, "ranges are not offered"});
  if (count(out.headers, "Expect") != 0) return Refused({417, "expectations are not met"});
  if (const auto connection = find_header(out.headers, "Connection")) {
    const auto wish = to_lower(*connection);
    if (wish.find("close") != std::string::npos) out.keep_alive = false;
    if (wish.find("keep-alive") != std::string::npos && out.version == RequestHead::Version::Http10)
      out.keep_alive = true;
  }
  return {};
}

}  // namespace

std::optional<std::string_view> find_header(const HttpHeaders& headers, std::string_view name) noexcept {
  for (const auto& header : headers) {
    if (equals_ignoring_case(header.name, name)) return header.value;
  }
  return std::nullopt;
}

std::string_view status_phrase(int status) noexcept {
  struct Phrase {
    int status;
    std::string_view text;
  };
  static constexpr std::array kPhrases = {Phrase{200, "OK"},
                                          Phrase{201, "Created"},
                                          Phrase{202, "Accepted"},
                                          Phrase{204, "No Content"},
                                          Phrase{304, "Not Modified"},
                                          Phrase{400, "Bad Request"},
                                          Phrase{401, "Unauthorized"},
                                          Phrase{403, "Forbidden"},
                                          Phrase{404, "Not Found"},
                                          Phrase{405, "Method Not Allowed"},
                                          Phrase{408, "Request Timeout"},
                                          Phrase{409, "Conflict"},
                                          Phrase{411, "Length Required"},
                                          Phrase{412, "Precondition Failed"},
                                          Phrase{413, "Content Too Large"},
                                          Phrase{414, "URI Too Long"},
                                          Phrase{415, "Unsupported Media Type"},
                                          Phrase{417, "Expectation Failed"},
                                          Phrase{422, "Unprocessable Content"},
                                          Phrase{429, "Too Many Requests"},
                                          Phrase{431, "Request Header Fields Too Large"},
                                          Phrase{500, "Internal Server Error"},
                                          Phrase{501, "Unsupported"},
                                          Phrase{503, "Service Unavailable"},
                                          Phrase{504, "Gateway Timeout"},
                                          Phrase{505, "HTTP Version Not Supported"}};
  for (const auto& phrase : kPhrases) {
    if (phrase.status == status) return phrase.text;
  }
  return "";
}

tl::expected<RequestHead, HeadRefusal> parse_request_head(std::string_view head, const HeadLimits& limits) {
  RequestHead out;
  bool first = true;
  while (true) {
    const auto end = head.find("\r\n");
    const auto line = head.substr(0, end);
    if (first) {
      if (auto step = read_request_line(line, limits, out); !step) return tl::unexpected(step.error());
    } else {
      if (out.headers.size() == limits.headers) return Refused({431, "too many header fields"});
      if (auto step = read_header_line(line, out); !step) return tl::unexpected(step.error());
    }
    first = false;
    if (end == std::string_view::npos) break;
    head.remove_prefix(end + 2);
  }
  if (auto step = read_content_length(out); !step) return tl::unexpected(step.error());
  if (auto step = check_meaning(out); !step) return tl::unexpected(step.error());
  return out;
}

}  // namespace nimbus::base
