#include "base/http/web_source.hpp"

#include <curl/curl.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>

#include "base/http/curl_setup.hpp"
#include "base/text/text.hpp"

namespace nimbus::base {
namespace {

constexpr int kMostRedirects = 5;
constexpr std::size_t kMostHead = 64 * 1024;

struct EasyFree {
  void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
};

/// One question at one place, and what libcurl's callbacks leave behind.
struct Fetch {
  const WebSourceOptions& options;
  const ByteSink& sink;
  std::int64_t offset = 0;
  std::int64_t skip = 0;  // of the body: a server without ranges begins anew
  std::size_t head_bytes = 0;
  int status = 0;
  std::int64_t begin = -1;  // of the range that is answered
  bool body_begun = false;
  std::optional<Error> refused;  // by a rule, the sink, or what the answer says

  bool refuse(Error why) {
    if (!refused) refused = std::move(why);
    return false;
  }

  bool take_header(std::string_view line) {
    head_bytes += line.size();
    if (head_bytes > kMostHead) return refuse({Code::Corrupt, "the answer's head is too long"});
    if (line.starts_with("HTTP/")) {
      status = 0;
      begin = -1;
      if (const auto space = line.find(' '); space != std::string_view::npos)
        std::from_chars(line.data() + space + 1, line.data() + line.size(), status);
      return true;
    }
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || to_lower(line.substr(0, colon)) != "content-range") return true;
    const auto value = trim(line.substr(colon + 1));  // "bytes 100-199/200"
    if (value.starts_with("bytes ")) std::from_chars(value.data() + 6, value.data() + value.size(), begin);
    return true;
  }

  bool take_body(std::span<const std::uint8_t> bytes) {
    if (status != 200 && status != 206) return true;  // a refusal's text
    if (!body_begun) {
      body_begun = true;
      const std::int64_t from = status == 206 ? begin : 0;
      if (from != 0 && from != offset) return refuse({Code::Corrupt, "another range is answered than was asked for"});
      skip = offset - from;
    }
    const auto drop = static_cast<std::size_t>(std::min(skip, static_cast<std::int64_t>(bytes.size())));
    skip -= static_cast<std::int64_t>(drop);
    if (drop == bytes.size()) return true;
    auto taken = sink(bytes.subspan(drop));
    return taken ? true : refuse(std::move(taken.error()));
  }
};

std::size_t on_header(char* data, std::size_t /*one*/, std::size_t size, void* user) {
  return static_cast<Fetch*>(user)->take_header({data, size}) ? size : 0;
}

std::size_t on_body(char* data, std::size_t /*one*/, std::size_t size, void* user) {
  return static_cast<Fetch*>(user)->take_body({reinterpret_cast<const std::uint8_t*>(data), size}) ? size : 0;
}

/// The address is what the name turned out to be: this is where a rule holds.
curl_socket_t on_open(void* user, curlsocktype /*purpose*/, curl_sockaddr* address) {
  auto& fetch = *static_cast<Fetch*>(user);
  if (fetch.options.rules.address) {
    if (auto allowed = fetch.options.rules.address(SocketAddress(&address->addr, address->addrlen)); !allowed) {
      fetch.refuse(std::move(allowed.error()));
      return CURL_SOCKET_BAD;
    }
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/// Another address of the same name may be one that is allowed: then the refusal is forgotten.
int on_connected(void* user, char* /*ip*/, char* /*local*/, int /*port*/, int /*local_port*/) {
  static_cast<Fetch*>(user)->refused.reset();
  return CURL_PREREQFUNC_OK;
}

int on_progress(void* user, curl_off_t /*a*/, curl_off_t /*b*/, curl_off_t /*c*/, curl_off_t /*d*/) {
  return static_cast<Fetch*>(user)->options.stop.stop_requested() ? 1 : 0;
}

int set_options(CURL* easy, Fetch& fetch, const std::string& url, curl_slist* headers) {
  CURLcode code = static_cast<CURLcode>(set_common_options(easy));
  const auto set = [&](CURLoption option, auto value) {
    if (code == CURLE_OK) code = curl_easy_setopt(easy, option, value);
  };
  const auto& options = fetch.options;
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_PROTOCOLS_STR, options.ca_file.empty() ? "http" : "http,https");
  // Null: without it Debian's libcurl would add the system's certificates.
  set(CURLOPT_CAPATH, static_cast<char*>(nullptr));
  set(CURLOPT_CAINFO, options.ca_file.empty() ? nullptr : options.ca_file.c_str());
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_HTTPHEADER, headers);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_time.count()));
  set(CURLOPT_LOW_SPEED_LIMIT, 1L);
  set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(options.stall.count()));
  if (fetch.offset > 0) set(CURLOPT_RANGE, (std::to_string(fetch.offset) + "-").c_str());
  set(CURLOPT_HEADERFUNCTION, &on_header);
  set(CURLOPT_HEADERDATA, &fetch);
  set(CURLOPT_WRITEFUNCTION, &on_body);
  set(CURLOPT_WRITEDATA, &fetch);
  set(CURLOPT_OPENSOCKETFUNCTION, &on_open);
  set(CURLOPT_OPENSOCKETDATA, &fetch);
  set(CURLOPT_PREREQFUNCTION, &on_connected);
  set(CURLOPT_PREREQDATA, &fetch);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &on_progress);
  set(CURLOPT_XFERINFODATA, &fetch);
  return code;
}

Error error_of(int code, const char* detail) {
  const std::string said = printable(*detail != '\0' ? detail : curl_easy_strerror(static_cast<CURLcode>(code)), 300);
  switch (code) {
    case CURLE_ABORTED_BY_CALLBACK:
      return {Code::Cancelled, "stopped"};
    case CURLE_PEER_FAILED_VERIFICATION:
      return {Code::Untrusted, "the certificate is not trusted: " + said};
    case CURLE_SSL_CACERT_BADFILE:
      return {Code::Invalid, "the CA's certificates cannot be read: " + said};
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
      return {Code::Invalid, said};
    case CURLE_WEIRD_SERVER_REPLY:
      return {Code::Corrupt, said};
    default:
      return {Code::Unreachable, said};
  }
}

Error error_of_status(int status) {
  const std::string text = "it answers " + std::to_string(status);
  if (status == 404 || status == 410) return {Code::NotFound, text};
  if (status == 401 || status == 403) return {Code::Auth, text};
  if (status == 429 || status >= 500) return {Code::Busy, text};
  return {Code::Invalid, text};
}

/// Where to ask instead; empty: all was read.
Result<std::string> read_from(const WebSourceOptions& options, const std::string& url, std::int64_t offset,
                              const ByteSink& sink) {
  const std::unique_ptr<CURL, EasyFree> easy(curl_easy_init());
  HeaderList headers;
  if (!easy || !headers.append(std::string("Accept-Encoding: identity")))
    return Error{Code::Internal, "libcurl cannot be set up"};
  Fetch fetch{.options = options, .sink = sink, .offset = offset, .refused = {}};
  char detail[CURL_ERROR_SIZE] = {};
  curl_easy_setopt(easy.get(), CURLOPT_ERRORBUFFER, static_cast<char*>(detail));
  if (set_options(easy.get(), fetch, url, static_cast<curl_slist*>(headers.get())) != CURLE_OK)
    return Error{Code::Internal, "libcurl lacks what is needed"};
  const CURLcode code = curl_easy_perform(easy.get());
  if (fetch.refused) return std::move(*fetch.refused);
  if (code != CURLE_OK) return error_of(code, static_cast<const char*>(detail));
  if (fetch.status == 200 || fetch.status == 206) return std::string();
  const char* next = nullptr;
  curl_easy_getinfo(easy.get(), CURLINFO_REDIRECT_URL, &next);
  if (fetch.status >= 300 && fetch.status < 400 && next != nullptr) return std::string(next);
  return error_of_status(fetch.status);
}

}  // namespace

WebSource::WebSource(WebSourceOptions options) : options_(std::move(options)) { initialise_curl(); }

Result<> WebSource::read(std::int64_t offset, const ByteSink& sink) {
  std::string at = options_.url;
  for (int hops = 0; hops <= kMostRedirects; ++hops) {
    if (auto url = parse_web_url(at); !url) return std::move(url.error());
    auto next = read_from(options_, at, offset, sink);
    if (!next) return std::move(next.error());
    if (next->empty()) return {};
    if (!options_.rules.redirect) return Error{Code::Untrusted, "it leads elsewhere, which is not followed"};
    at = std::move(*next);
    if (auto allowed = options_.rules.redirect(at); !allowed) return allowed;
  }
  return Error{Code::Untrusted, "it leads from one place to the next, without end"};
}

}  // namespace nimbus::base
