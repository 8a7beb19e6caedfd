// HttpClient on libcurl: one easy handle, and a share handle that keeps its connection
// between calls. For the time of a call it is on the multi handle of the thread that
// calls: the multi interface is what makes a call stoppable from another thread and
// gives the loop below the last word on time. A multi handle has two descriptors and
// 30 KiB of its own: too much to keep one for each of 10,000 BMCs.
#include <curl/curl.h>

#include <algorithm>
#include <stop_token>

#include <fmt/format.h>

#include "base/http/client.hpp"
#include "base/http/curl_exchange.hpp"
#include "base/http/curl_setup.hpp"
#include "base/text/text.hpp"

namespace nimbus::base {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

constexpr milliseconds kLongestWait{1'000};

struct EasyFree {
  void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
};
struct MultiFree {
  void operator()(CURLM* handle) const noexcept { curl_multi_cleanup(handle); }
};
struct ShareFree {
  void operator()(CURLSH* handle) const noexcept { curl_share_cleanup(handle); }
};
using Easy = std::unique_ptr<CURL, EasyFree>;
using Multi = std::unique_ptr<CURLM, MultiFree>;
using Share = std::unique_ptr<CURLSH, ShareFree>;

/// Null where there is no memory or descriptor left for it.
CURLM* multi_of_this_thread() {
  thread_local Multi multi;
  if (!multi) {
    multi.reset(curl_multi_init());
    if (multi) curl_multi_setopt(multi.get(), CURLMOPT_MAXCONNECTS, 1L);
  }
  return multi.get();
}

/// While it lives, `easy` is driven by `multi`; afterwards a connection without a complete answer is closed.
class OnMulti {
 public:
  OnMulti(CURLM* multi, CURL* easy)
      : multi_(multi), easy_(easy), added_(multi != nullptr && curl_multi_add_handle(multi, easy) == CURLM_OK) {}
  ~OnMulti() {
    if (added_) curl_multi_remove_handle(multi_, easy_);
  }
  OnMulti(const OnMulti&) = delete;
  OnMulti& operator=(const OnMulti&) = delete;
  explicit operator bool() const noexcept { return added_; }

 private:
  CURLM* const multi_;
  CURL* const easy_;
  const bool added_;
};

std::size_t on_header(char* data, std::size_t /*one*/, std::size_t size, void* user) {
  return static_cast<Exchange*>(user)->take_header({data, size}) ? size : 0;
}

std::size_t on_body(char* data, std::size_t /*one*/, std::size_t size, void* user) {
  return static_cast<Exchange*>(user)->take_body({data, size}) ? size : 0;
}

/// Every new connection passes here; libcurl would otherwise repeat a request, POST
/// too, when a kept connection turns out to be dead.
curl_socket_t on_open(void* user, curlsocktype /*purpose*/, curl_sockaddr* address) {
  auto& exchange = *static_cast<Exchange*>(user);
  const bool may_repeat = exchange.request->method == "GET" || exchange.request->method == "HEAD";
  if (exchange.request->on == OnConnection::Present || (exchange.sent && !may_repeat)) {
    exchange.open_refused = true;
    return CURL_SOCKET_BAD;
  }
  exchange.opened = true;
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/// The last moment before the request goes out, on a kept connection too.
int on_connected(void* user, char* /*ip*/, char* /*local*/, int /*port*/, int /*local_port*/) {
  auto& exchange = *static_cast<Exchange*>(user);
  exchange.too_late = SteadyClock::now() > exchange.request->leave_by;
  exchange.sent = !exchange.too_late;
  return exchange.too_late ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

class CurlClient final : public HttpClient {
 public:
  static Result<std::unique_ptr<CurlClient>> create(ClientOptions options);
  tl::expected<ClientResponse, HttpFailure> send(const ClientRequest& request, const Call& call) override;
  void drop_connection() override { fresh_ = true; }
  /// TLS handshake without verification; the certificate in PEM.
  Result<std::string> fetch_certificate(const Call& call);

 private:
  explicit CurlClient(ClientOptions options) : options_(std::move(options)) {}
  template <class Value>
  void set(CURLoption option, Value value) {
    // Only an option unknown to the library or out of memory fails.
    if (const CURLcode code = curl_easy_setopt(easy_.get(), option, value); code != CURLE_OK && setup_ == CURLE_OK)
      setup_ = code;
  }
  void set_fixed_options();
  void set_request(const ClientRequest& request, HeaderList& list, const Call& call);
  std::optional<Error> perform(Exchange& exchange, const Call& call);
  /// Until the answer is complete. Returns why it is not.
  std::optional<Error> run(CURLM* multi, Exchange& exchange, const Call& call);

  ClientOptions options_;
  Share share_;  // owns the connection; outlives the easy handle
  Easy easy_;
  char detail_[CURL_ERROR_SIZE] = {};
  CURLcode setup_ = CURLE_OK;
  unsigned long connection_ = 0;
  bool fresh_ = false;
};

Result<std::unique_ptr<CurlClient>> CurlClient::create(ClientOptions options) {
  initialise_curl();
  if (auto origin = check_origin(options.origin); !origin) return std::move(origin.error());
  std::unique_ptr<CurlClient> client(new CurlClient(std::move(options)));
  client->share_.reset(curl_share_init());
  client->easy_.reset(curl_easy_init());
  // Nobody else has this share: it needs no locks. The looked-up addresses are here too, because the multi
  // handle's own list of them would be walked after each call, one entry for every BMC of the thread.
  const auto keep = [&](curl_lock_data what) {
    return curl_share_setopt(client->share_.get(), CURLSHOPT_SHARE, what) == CURLSHE_OK;
  };
  if (!client->share_ || !client->easy_ || !keep(CURL_LOCK_DATA_CONNECT) || !keep(CURL_LOCK_DATA_DNS)) {
    return Error{Code::Internal, "libcurl cannot be set up"};
  }
  client->set_fixed_options();
  if (client->setup_ != CURLE_OK)
    return Error{Code::Internal, fmt::format("libcurl lacks what is needed: {}", curl_easy_strerror(client->setup_))};
  return client;
}

void CurlClient::set_fixed_options() {
  for (const int code : {set_common_options(easy_.get()), set_trust(easy_.get(), options_)}) {
    if (setup_ == CURLE_OK) setup_ = static_cast<CURLcode>(code);
  }
  set(CURLOPT_SHARE, share_.get());
  set(CURLOPT_ERRORBUFFER, static_cast<char*>(detail_));
  set(CURLOPT_HEADERFUNCTION, &on_header);
  set(CURLOPT_WRITEFUNCTION, &on_body);
  set(CURLOPT_OPENSOCKETFUNCTION, &on_open);
  set(CURLOPT_PREREQFUNCTION, &on_connected);
  set(CURLOPT_FORBID_REUSE, options_.use == ConnectionUse::CloseAfterEach ? 1L : 0L);
}

void CurlClient::set_request(const ClientRequest& request, HeaderList& list, const Call& call) {
  set(CURLOPT_URL, (options_.origin + request.target).c_str());
  set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  set(CURLOPT_NOBODY, request.method == "HEAD" ? 1L : 0L);
  const bool has_body =
      !request.body.empty() || request.method == "POST" || request.method == "PATCH" || request.method == "PUT";
  if (has_body) {
    set(CURLOPT_POSTFIELDS, request.body.c_str());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  } else if (request.method != "HEAD") {
    set(CURLOPT_HTTPGET, 1L);
    set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
  const auto append = [&](const auto& header) {
    if (!list.append(header)) setup_ = CURLE_OUT_OF_MEMORY;
  };
  if (request.coding == Coding::Identity) append(std::string("Accept-Encoding: identity"));
  append(std::string("Expect:"));
  if (has_body && !find_header(request.headers, "Content-Type")) append(std::string("Content-Type:"));
  if (options_.use == ConnectionUse::CloseAfterEach) append(std::string("Connection: close"));
  for (const auto& header : request.headers) append(header);
  set(CURLOPT_HTTPHEADER, static_cast<curl_slist*>(list.get()));
  set(CURLOPT_FRESH_CONNECT, fresh_ ? 1L : 0L);
  // Where the call's deadline comes first, the loop's own clock must see it first.
  const auto left = call.remaining(SteadyClock::now());
  const auto connect_time = options_.connect_time < left ? options_.connect_time : left + std::chrono::minutes(1);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect_time.count()));
}

std::optional<Error> CurlClient::run(CURLM* multi, Exchange& exchange, const Call& call) {
  const std::stop_callback wake(call.stop, [multi] { curl_multi_wakeup(multi); });
  while (true) {
    int running = 0;
    if (const CURLMcode code = curl_multi_perform(multi, &running); code != CURLM_OK)
      return Error{Code::Internal, curl_multi_strerror(code)};
    int queued = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &queued)) {
      if (message->msg != CURLMSG_DONE) continue;
      if (message->data.result == CURLE_OK) return std::nullopt;
      return error_of(message->data.result, exchange, static_cast<const char*>(detail_));
    }
    if (call.stop.stop_requested()) return Error{Code::Cancelled, "stopped"};
    const auto now = SteadyClock::now();
    if (exchange.silent_since_head(now)) {
      exchange.cut = true;
      return std::nullopt;
    }
    const auto left = call.remaining(now);
    if (left.count() == 0) return Error{Code::Timeout, "no complete answer before the deadline"};
    const auto wait = std::min({left, kLongestWait, exchange.head_done ? kSilence : kLongestWait});
    if (curl_multi_poll(multi, nullptr, 0, static_cast<int>(wait.count()), nullptr) != CURLM_OK)
      return Error{Code::Internal, "waiting for the network failed"};
  }
}

std::optional<Error> CurlClient::perform(Exchange& exchange, const Call& call) {
  CURLM* const multi = multi_of_this_thread();
  const OnMulti driven(multi, easy_.get());
  if (!driven) return Error{Code::Internal, "libcurl refuses"};
  return run(multi, exchange, call);
}

tl::expected<ClientResponse, HttpFailure> CurlClient::send(const ClientRequest& request, const Call& call) {
  const auto fail = [](Code code, std::string message) {
    return tl::unexpected(HttpFailure{Error{code, std::move(message)}, false});
  };
  if (!is_sendable(request.method, request.target, request.headers))
    return fail(Code::Invalid, "a control character in a request, or a target that is no path");
  if (call.stop.stop_requested()) return fail(Code::Cancelled, "stopped");
  if (call.remaining(SteadyClock::now()).count() == 0) return fail(Code::Timeout, "no time left");

  Exchange exchange{.request = &request};
  set(CURLOPT_HEADERDATA, &exchange);
  set(CURLOPT_WRITEDATA, &exchange);
  set(CURLOPT_OPENSOCKETDATA, &exchange);
  set(CURLOPT_PREREQDATA, &exchange);
  HeaderList list;
  set_request(request, list, call);
  detail_[0] = '\0';
  if (setup_ != CURLE_OK) return fail(Code::Internal, curl_easy_strerror(setup_));
  const auto failure = perform(exchange, call);
  set(CURLOPT_POSTFIELDS, static_cast<char*>(nullptr));
  set(CURLOPT_HTTPHEADER, static_cast<curl_slist*>(nullptr));
  if (failure) return tl::unexpected(HttpFailure{*failure, exchange.sent});

  fresh_ = false;
  if (exchange.opened) ++connection_;
  exchange.response.connection = connection_;
  const auto wish = to_lower(exchange.response.header("Connection").value_or(""));
  const bool ends =
      wish.find("close") != std::string::npos || (exchange.old_version && wish.find("keep-alive") == std::string::npos);
  exchange.response.kept = options_.use == ConnectionUse::Keep && !exchange.cut && !ends;
  return std::move(exchange.response);
}

Result<std::string> CurlClient::fetch_certificate(const Call& call) {
  ClientRequest nothing;
  Exchange exchange{.request = &nothing};
  set(CURLOPT_OPENSOCKETDATA, &exchange);
  set(CURLOPT_PREREQDATA, &exchange);
  set(CURLOPT_URL, options_.origin.c_str());
  set(CURLOPT_CONNECT_ONLY, 1L);
  set(CURLOPT_CERTINFO, 1L);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_time.count()));
  if (setup_ != CURLE_OK) return Error{Code::Internal, curl_easy_strerror(setup_)};
  CURLM* const multi = multi_of_this_thread();
  const OnMulti driven(multi, easy_.get());
  if (!driven) return Error{Code::Internal, "libcurl refuses"};
  const auto failure = run(multi, exchange, call);
  std::string pem;
  curl_certinfo* chain = nullptr;
  if (!failure && curl_easy_getinfo(easy_.get(), CURLINFO_CERTINFO, &chain) == CURLE_OK && chain != nullptr &&
      chain->num_of_certs > 0) {
    constexpr std::string_view kCert = "Cert:";
    for (const curl_slist* entry = chain->certinfo[0]; entry != nullptr; entry = entry->next) {
      if (std::string_view(entry->data).starts_with(kCert)) pem = std::string_view(entry->data).substr(kCert.size());
    }
  }
  if (failure) return *failure;
  if (pem.empty()) return Error{Code::Corrupt, "the peer showed no certificate"};
  return pem;
}

}  // namespace

Result<std::unique_ptr<HttpClient>> make_http_client(const ClientOptions& options) {
  if (options.pins.empty() && options.ca_pem.empty())
    return Error{Code::Invalid, "neither a pinned key nor a CA: no way to know " + printable(options.origin, 200)};
  auto client = CurlClient::create(options);
  if (!client) return std::move(client.error());
  return std::unique_ptr<HttpClient>(std::move(*client));
}

Result<std::string> fetch_certificate(const std::string& origin, const Call& call) {
  auto client = CurlClient::create({.origin = origin});
  if (!client) return std::move(client.error());
  return (*client)->fetch_certificate(call);
}

Result<SpkiPin> fetch_pin(const std::string& origin, const Call& call) {
  const auto certificate = fetch_certificate(origin, call);
  if (!certificate) return certificate.error();
  return SpkiPin::of_certificate(*certificate);
}

}  // namespace nimbus::base
