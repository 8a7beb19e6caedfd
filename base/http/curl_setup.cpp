#include "base/http/curl_setup.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <memory>
#include <mutex>

#include "base/text/text.hpp"

namespace nimbus::base {
namespace {

bool has_control(std::string_view text) noexcept {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

/// Sets options until one fails: only one unknown to the library, or out of memory, does.
class Setter {
 public:
  explicit Setter(void* easy) : easy_(easy) {}
  template <class Value>
  void operator()(CURLoption option, Value value) {
    if (code_ == CURLE_OK) code_ = curl_easy_setopt(easy_, option, value);
  }
  int code() const noexcept { return code_; }

 private:
  CURL* easy_;
  CURLcode code_ = CURLE_OK;
};

/// Whether libcurl finds a host and a port in it.
bool is_url(const std::string& text) {
  const std::unique_ptr<CURLU, void (*)(CURLU*)> url(curl_url(), curl_url_cleanup);
  return url != nullptr && curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) == CURLUE_OK;
}

}  // namespace

void initialise_curl() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

Result<> check_origin(const std::string& origin) {
  constexpr std::string_view kScheme = "https://";
  const std::string_view rest = std::string_view(origin).substr(std::min(origin.size(), kScheme.size()));
  if (!origin.starts_with(kScheme) || rest.empty() || has_control(origin) ||
      rest.find_first_of("/?#@\\ ") != std::string_view::npos || !is_url(origin)) {
    return Error{Code::Invalid,
                 "'" + printable(origin, 200) + "' is no origin; expected https://host or https://host:port"};
  }
  return {};
}

bool is_sendable(const std::string& method, const std::string& target, const HttpHeaders& headers) noexcept {
  return target.starts_with('/') && !has_control(target) && !has_control(method) &&
         std::none_of(headers.begin(), headers.end(),
                      [](const HttpHeader& header) { return has_control(header.name) || has_control(header.value); });
}

int set_common_options(void* easy) {
  Setter set(easy);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT, 1L);  // else a call given up waits for the name server
  set(CURLOPT_PROTOCOLS_STR, "https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_PROXY, "");
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_SSL_ENABLE_ALPN, 0L);
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_TCP_NODELAY, 1L);
  set(CURLOPT_HTTP_TRANSFER_DECODING, 1L);
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_USERAGENT, "nimbus");
  return set.code();
}

int set_trust(void* easy, const ClientOptions& options) {
  Setter set(easy);
  // Null: without it Debian's libcurl would add the system's certificates.
  set(CURLOPT_CAINFO, static_cast<char*>(nullptr));
  set(CURLOPT_CAPATH, static_cast<char*>(nullptr));
  const bool by_ca = !options.ca_pem.empty();
  set(CURLOPT_SSL_VERIFYPEER, by_ca ? 1L : 0L);
  set(CURLOPT_SSL_VERIFYHOST, by_ca ? 2L : 0L);
  if (by_ca) {
    std::string pem = options.ca_pem;
    curl_blob blob{pem.data(), pem.size(), CURL_BLOB_COPY};
    set(CURLOPT_CAINFO_BLOB, &blob);
  }
  std::string pins;
  for (const auto& pin : options.pins) pins += (pins.empty() ? "sha256//" : ";sha256//") + pin.base64();
  if (!pins.empty()) set(CURLOPT_PINNEDPUBLICKEY, pins.c_str());
  return set.code();
}

HeaderList::~HeaderList() { curl_slist_free_all(static_cast<curl_slist*>(list_)); }

bool HeaderList::append(const std::string& line) {
  curl_slist* longer = curl_slist_append(static_cast<curl_slist*>(list_), line.c_str());
  if (longer == nullptr) return false;
  list_ = longer;
  return true;
}

bool HeaderList::append(const HttpHeader& header) {
  return append(header.value.empty() ? header.name + ";" : header.name + ": " + header.value);
}

}  // namespace nimbus::base
