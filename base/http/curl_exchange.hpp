// What libcurl's callbacks leave behind for one request, and what its end means.
#pragma once

#include <chrono>
#include <cstddef>
#include <string_view>

#include "base/http/client.hpp"

namespace nimbus::base {

inline constexpr std::chrono::milliseconds kSilence{250};  // before an answer without length counts as empty

struct Exchange {
  const ClientRequest* request = nullptr;
  ClientResponse response;
  std::size_t head_bytes = 0;
  std::size_t announced = 0;
  bool has_length = false;
  bool has_coding = false;
  bool head_done = false;
  bool sent = false;    // the connection stands and the request goes out
  bool opened = false;  // a new connection was made for it
  bool open_refused = false;
  bool too_late = false;  // its time had passed when the connection stood
  bool too_large = false;
  bool old_version = false;  // HTTP/1.0: closes unless it says otherwise
  bool cut = false;          // taken as complete although the peer did not say so
  MonoTime head_at{};

  /// False: no more is to be read.
  bool take_header(std::string_view line);
  bool take_body(std::string_view piece);
  /// An answer that would only end with the connection, and nothing of it came.
  bool silent_since_head(MonoTime now) const;

 private:
  void reset_head();
};

/// `code`: a CURLcode; `detail`: libcurl's own text, may be empty.
Error error_of(int code, const Exchange& exchange, const char* detail);

}  // namespace nimbus::base
