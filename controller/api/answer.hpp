// Answers of the API: JSON with an entity tag, and problems as RFC 9457 says.
// Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/http/server.hpp"
#include "base/json/json.hpp"
#include "core/error.hpp"
#include "core/result.hpp"

namespace nimbus::controller {

/// `code` is stable and for programs: "NOT_FOUND"; `detail` is for people.
base::HttpResponse problem(int status, std::string_view code, std::string_view detail);
/// Status and code follow from the error's code.
base::HttpResponse problem(const Error& error);

/// 200 with a strong entity tag of the text; 304 without a body if the request names
/// that tag (RFC 9110, 13.1.2).
base::HttpResponse answer(const base::HttpRequest& request, const base::Json& body);

struct PageRequest {
  static constexpr std::size_t kUsual = 50;
  static constexpr std::size_t kMost = 1000;
  std::size_t size = kUsual;
  std::string after;  // the last name of the page before; empty: from the start
};
/// `page_size` and `page_token`; a size above the most is brought down to it. The token
/// is bound to `filter`. Errors: Invalid.
Result<PageRequest> page_request(const base::HttpRequest& request, std::string_view filter);
/// What next_page_token holds after a page that ended with `last`.
std::string page_token(std::string_view last, std::string_view filter);

}  // namespace nimbus::controller
