// WebSource: a large file from an http:// or https:// URL, as a stream that can be gone on
// with where it was cut. For files whose digest is known; where they come from is decided
// by rules that are asked for each redirect and for each address, after its name was looked
// up and before anything is sent there.
//
// HTTPS peers are known by the CAs given, TLS 1.2 or newer. Proxies, .netrc and cookies play
// no part. Errors: Invalid (URL), Unreachable (no connection, cut, too slow), Untrusted (a
// certificate, a rule, too many redirects), Cancelled, Corrupt (another range than asked for,
// no HTTP), and by status: NotFound (404, 410), Auth (401, 403), Busy (429, 5xx), Invalid.
// Thread rule: one thread at a time.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "base/plain_http/client.hpp"

namespace nimbus::base {

struct WebSourceOptions {
  std::string url;
  std::string ca_file;  // PEM; empty: no https
  SourceRules rules;
  std::stop_token stop;                            // ends a read within about a second
  std::chrono::seconds stall{30};                  // so long without a byte counts as cut
  std::chrono::milliseconds connect_time{10'000};  // name, TCP and TLS together
};

class WebSource final : public ByteSource {
 public:
  explicit WebSource(WebSourceOptions options);
  Result<> read(std::int64_t offset, const ByteSink& sink) override;

 private:
  const WebSourceOptions options_;
};

}  // namespace nimbus::base
