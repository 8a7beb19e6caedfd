#include "controller/api/answer.hpp"

#include <algorithm>
#include <charconv>

#include "base/crypto/crypto.hpp"
#include "base/text/text.hpp"

namespace nimbus::controller {
namespace {

using base::HttpRequest;
using base::HttpResponse;
using base::Json;

constexpr std::size_t kTagDigits = 32;    // 128 bits: nobody finds two equal ones
constexpr std::size_t kFilterDigits = 8;  // of a token: tells an honest mistake
constexpr std::size_t kLongestDetail = 1000;

std::string entity_tag(const std::string& text) { return '"' + base::sha256_hex(text).substr(0, kTagDigits) + '"'; }

/// If-None-Match: "*" or a list of tags; a weak one compares as its strong one.
bool names_tag(std::string_view header, std::string_view tag) {
  while (!header.empty()) {
    const auto comma = header.find(',');
    std::string_view item = base::trim(header.substr(0, comma));
    if (item.starts_with("W/")) item.remove_prefix(2);
    if (item == "*" || item == tag) return true;
    if (comma == std::string_view::npos) return false;
    header.remove_prefix(comma + 1);
  }
  return false;
}

struct StatusOfCode {
  int status;
  std::string_view code;
};

StatusOfCode status_of(Code code) {
  switch (code) {
    case Code::NotFound:
      return {404, "NOT_FOUND"};
    case Code::Invalid:
      return {400, "INVALID_ARGUMENT"};
    case Code::Conflict:
      return {409, "CONFLICT"};
    case Code::Busy:
    case Code::RateLimited:
      return {503, "BUSY"};
    case Code::Unreachable:
    case Code::Timeout:
    case Code::Cancelled:
    case Code::Auth:
    case Code::Untrusted:
    case Code::Unsupported:
    case Code::Corrupt:
    case Code::Internal:
      break;
  }
  return {500, "INTERNAL"};
}

std::string filter_mark(std::string_view filter) { return base::sha256_hex(filter).substr(0, kFilterDigits); }

}  // namespace

HttpResponse problem(int status, std::string_view code, std::string_view detail) {
  const Json body = Json::object({{"type", "about:blank"},
                                  {"title", base::status_phrase(status)},
                                  {"status", status},
                                  {"code", code},
                                  {"detail", base::printable(detail, kLongestDetail)}});
  return {.status = status, .content_type = "application/problem+json", .body = body.text() + "\n"};
}

HttpResponse problem(const Error& error) {
  const auto [status, code] = status_of(error.code);
  return problem(status, code, error.text());
}

HttpResponse answer(const HttpRequest& request, const Json& body) {
  std::string text = body.text() + "\n";
  const std::string tag = entity_tag(text);
  base::HttpHeaders headers = {{"ETag", tag}, {"Cache-Control", "no-cache"}};
  if (const auto known = request.header("If-None-Match"); known && names_tag(*known, tag)) {
    return {.status = 304, .headers = std::move(headers)};
  }
  return {.content_type = "application/json", .body = std::move(text), .headers = std::move(headers)};
}

std::string page_token(std::string_view last, std::string_view filter) {
  return filter_mark(filter) + "." + std::string(last);
}

Result<PageRequest> page_request(const HttpRequest& request, std::string_view filter) {
  PageRequest page;
  if (const auto size = request.parameter("page_size"); size && !size->empty()) {
    const auto [end, error] = std::from_chars(size->data(), size->data() + size->size(), page.size);
    if (error != std::errc() || end != size->data() + size->size() || page.size == 0) {
      return Error{Code::Invalid, "page_size must be a whole number from 1 on"};
    }
    page.size = std::min(page.size, PageRequest::kMost);
  }
  if (const auto token = request.parameter("page_token"); token && !token->empty()) {
    const std::string mark = filter_mark(filter) + ".";
    if (!token->starts_with(mark)) {
      return Error{Code::Invalid, "page_token is not one of this list: ask again without it, or with the same filter"};
    }
    page.after = token->substr(mark.size());
  }
  return page;
}

}  // namespace nimbus::controller
