// What every libcurl handle of ours has in common, whoever runs it: the protocol, and
// how a peer is known. Handles are passed as libcurl's own CURL*, which is a void*, so
// that its header stays in the source files.
#pragma once

#include "base/http/client.hpp"

namespace nimbus::base {

/// Once per process; safe from any thread.
void initialise_curl();

/// Errors: Invalid (no "https://host" or "https://host:port").
Result<> check_origin(const std::string& origin);
/// Whether a request of this kind can be sent as it is: a path, and no control characters.
bool is_sendable(const std::string& method, const std::string& target, const HttpHeaders& headers) noexcept;

/// HTTPS 1.1 to one peer, TLS 1.2 or newer: no proxy, redirect, .netrc or ALPN. Returns a CURLcode.
int set_common_options(void* easy);
/// The peer is known by pins or CA, and by nothing else. Returns a CURLcode.
int set_trust(void* easy, const ClientOptions& options);

/// A curl_slist that grows; freed with it.
class HeaderList {
 public:
  HeaderList() = default;
  ~HeaderList();
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  /// False: out of memory.
  bool append(const std::string& line);
  bool append(const HttpHeader& header);
  void* get() const noexcept { return list_; }

 private:
  void* list_ = nullptr;
};

}  // namespace nimbus::base
