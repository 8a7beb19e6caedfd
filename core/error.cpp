#include "core/error.hpp"

#include <utility>

namespace nimbus {

std::string_view to_string(Code code) noexcept {
  switch (code) {
    case Code::Unreachable:
      return "unreachable";
    case Code::Timeout:
      return "timeout";
    case Code::Cancelled:
      return "cancelled";
    case Code::Auth:
      return "auth";
    case Code::Untrusted:
      return "untrusted";
    case Code::NotFound:
      return "not-found";
    case Code::Unsupported:
      return "unsupported";
    case Code::Conflict:
      return "conflict";
    case Code::Invalid:
      return "invalid";
    case Code::RateLimited:
      return "rate-limited";
    case Code::Busy:
      return "busy";
    case Code::Corrupt:
      return "corrupt";
    case Code::Internal:
      return "internal";
  }
  return "internal";
}

bool is_transient(Code code) noexcept {
  switch (code) {
    case Code::Unreachable:
    case Code::Timeout:
    case Code::RateLimited:
    case Code::Busy:
    case Code::Corrupt:
      return true;
    case Code::Cancelled:
    case Code::Auth:
    case Code::Untrusted:
    case Code::NotFound:
    case Code::Unsupported:
    case Code::Conflict:
    case Code::Invalid:
    case Code::Internal:
      return false;
  }
  return false;
}

Error& Error::with(std::string context) & {
  trace.push_back(std::move(context));
  return *this;
}

Error Error::with(std::string context) && {
  trace.push_back(std::move(context));
  return std::move(*this);
}

std::string Error::text() const {
  std::string out = message;
  for (const auto& step : trace) {
    out += out.empty() ? "" : " ";
    out += "(" + step + ")";
  }
  return out;
}

}  // namespace nimbus
