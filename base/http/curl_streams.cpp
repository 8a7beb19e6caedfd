// EventStreams on libcurl: one multi handle and one thread for all of them.
#include <curl/curl.h>

#include <algorithm>
#include <atomic>
#include <list>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/http/curl_exchange.hpp"
#include "base/http/curl_setup.hpp"
#include "base/http/event_parser.hpp"
#include "base/http/event_streams.hpp"
#include "base/text/text.hpp"

namespace nimbus::base {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kMostStarting = 8;
constexpr milliseconds kLongestWait{10'000};
constexpr milliseconds kStartingWait{250};
constexpr long kBufferBytes = 4096;  // events are small, and there are many streams

/// What the owner and the thread share of one stream.
struct Shared {
  std::mutex mutex;                               // held while the handler runs
  std::function<void(std::string_view)> handler;  // empty: the owner is gone
  std::optional<Error> ended;
  bool stands = false;
};

/// The thread's side of one stream.
struct Line {
  EventStreamRequest request;
  std::shared_ptr<Shared> shared;
  ClientRequest as_request{};  // what Exchange goes by
  Exchange exchange{};
  EventParser parser{};
  HeaderList headers{};
  CURL* easy = nullptr;
  MonoTime started{};
  MonoTime window{};
  std::size_t in_window = 0;
  bool is_stream = false;  // the head was read, and is that of one
  bool too_much = false;

  bool take_body(std::string_view piece);
  bool check_head();
};

bool Line::check_head() {
  const auto type = exchange.response.header("Content-Type").value_or("");
  is_stream = exchange.response.status == 200 && to_lower(type).starts_with("text/event-stream");
  if (is_stream) {
    const std::lock_guard lock(shared->mutex);
    shared->stands = true;
  }
  return is_stream;
}

bool Line::take_body(std::string_view piece) {
  const auto now = SteadyClock::now();
  if (now - window >= EventStreams::kWindow) {
    window = now;
    in_window = 0;
  }
  in_window += piece.size();
  too_much = in_window > EventStreams::kMostBytes;
  if (too_much) return false;
  parser.feed(piece, [this](std::string_view data) {
    const std::lock_guard lock(shared->mutex);
    if (shared->handler) shared->handler(data);
  });
  return true;
}

std::size_t on_header(char* data, std::size_t /*one*/, std::size_t size, void* user) {
  auto& line = *static_cast<Line*>(user);
  if (!line.exchange.take_header({data, size})) return 0;
  return !line.exchange.head_done || line.is_stream || line.check_head() ? size : 0;
}

std::size_t on_body(char* data, std::size_t /*one*/, std::size_t size, void* user) {
  return static_cast<Line*>(user)->take_body({data, size}) ? size : 0;
}

int on_connected(void* user, char* /*ip*/, char* /*local*/, int /*port*/, int /*local_port*/) {
  static_cast<Line*>(user)->exchange.sent = true;
  return CURL_PREREQFUNC_OK;
}

/// Git and other children must not inherit it.
curl_socket_t on_open(void* /*user*/, curlsocktype /*purpose*/, curl_sockaddr* address) {
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/// Null: out of memory.
CURL* easy_of(Line& line, milliseconds start_time) {
  CURL* easy = curl_easy_init();
  if (easy == nullptr) return nullptr;
  bool good = set_common_options(easy) == CURLE_OK && set_trust(easy, line.request.peer) == CURLE_OK;
  const auto set = [&](CURLoption option, auto value) {
    good = curl_easy_setopt(easy, option, value) == CURLE_OK && good;
  };
  set(CURLOPT_URL, (line.request.peer.origin + line.request.target).c_str());
  set(CURLOPT_HTTPHEADER, static_cast<curl_slist*>(line.headers.get()));
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(start_time.count()));
  set(CURLOPT_FORBID_REUSE, 1L);
  set(CURLOPT_FRESH_CONNECT, 1L);
  set(CURLOPT_BUFFERSIZE, kBufferBytes);
  // A peer that lost its power says no more; the kernel finds out.
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_TCP_KEEPIDLE, 60L);
  set(CURLOPT_TCP_KEEPINTVL, 20L);
  set(CURLOPT_OPENSOCKETFUNCTION, &on_open);
  set(CURLOPT_HEADERFUNCTION, &on_header);
  set(CURLOPT_HEADERDATA, &line);
  set(CURLOPT_WRITEFUNCTION, &on_body);
  set(CURLOPT_WRITEDATA, &line);
  set(CURLOPT_PREREQFUNCTION, &on_connected);
  set(CURLOPT_PREREQDATA, &line);
  set(CURLOPT_PRIVATE, &line);
  if (good) return easy;
  curl_easy_cleanup(easy);
  return nullptr;
}

/// The end of a transfer in our words.
Error why_ended(CURLcode code, const Line& line) {
  const int status = line.exchange.response.status;
  if (line.too_much) return {Code::RateLimited, "more came on the event stream than is read"};
  if (!line.exchange.head_done || line.is_stream)
    return code == CURLE_OK ? Error{Code::Unreachable, "the event stream ended"} : error_of(code, line.exchange, "");
  if (status == 401 || status == 403) return {Code::Auth, "the event stream was refused"};
  return {Code::Unsupported, "no event stream: HTTP status " + std::to_string(status)};
}

class CurlStreams final : public EventStreams {
 public:
  CurlStreams(std::size_t most, milliseconds start_time, CURLM* multi)
      : most_(most), start_time_(start_time), multi_(multi) {}
  ~CurlStreams() override;

  Result<std::unique_ptr<EventStream>> open(EventStreamRequest request,
                                            std::function<void(std::string_view)> on_event) override;
  std::size_t standing() const override { return standing_; }
  void close(const std::shared_ptr<Shared>& shared);

 private:
  using Lines = std::list<Line>;

  void run(const std::stop_token& stop);
  void take_orders();
  bool has_room_for_more() const { return !waiting_.empty() && starting_.size() < kMostStarting; }
  void start_some();
  bool start(Line& line);
  void sort_out_started();
  void reap();
  void give_up_late_ones();
  void hang_up(Line& line);
  void end(Lines& of, Lines::iterator line, Error why);

  const std::size_t most_;
  const milliseconds start_time_;
  CURLM* const multi_;
  std::atomic<std::size_t> places_taken_{0};
  std::atomic<std::size_t> standing_{0};

  std::mutex mutex_;  // of the next three
  Lines opened_;      // not taken over by the thread yet
  std::vector<std::shared_ptr<Shared>> closed_;
  bool running_ = false;

  // The thread's own.
  Lines waiting_;   // for their turn to connect
  Lines starting_;  // no head has come yet
  Lines standing_lines_;
  std::jthread thread_;
};

class CurlStream final : public EventStream {
 public:
  CurlStream(CurlStreams& streams, std::shared_ptr<Shared> shared) : streams_(streams), shared_(std::move(shared)) {}
  ~CurlStream() override { streams_.close(shared_); }
  bool stands() const override {
    const std::lock_guard lock(shared_->mutex);
    return shared_->stands;
  }
  std::optional<Error> ended() const override {
    const std::lock_guard lock(shared_->mutex);
    return shared_->ended;
  }

 private:
  CurlStreams& streams_;
  const std::shared_ptr<Shared> shared_;
};

CurlStreams::~CurlStreams() {
  if (thread_.joinable()) {
    thread_.request_stop();
    curl_multi_wakeup(multi_);
    thread_.join();
  }
  for (auto* lines : {&starting_, &standing_lines_}) {
    for (auto& line : *lines) hang_up(line);
  }
  curl_multi_cleanup(multi_);
}

Result<std::unique_ptr<EventStream>> CurlStreams::open(EventStreamRequest request,
                                                       std::function<void(std::string_view)> on_event) {
  if (auto good = check_origin(request.peer.origin); !good) return std::move(good.error());
  if (request.peer.pins.empty() && request.peer.ca_pem.empty())
    return Error{Code::Invalid, "neither a pinned key nor a CA: no way to know the peer"};
  if (!is_sendable("GET", request.target, request.headers))
    return Error{Code::Invalid, "a control character in a request, or a target that is no path"};
  auto shared = std::make_shared<Shared>();
  shared->handler = std::move(on_event);
  const std::lock_guard lock(mutex_);
  if (places_taken_ >= most_) return Error{Code::Busy, "as many event streams are open as may be"};
  auto& line = opened_.emplace_back();
  line.request = std::move(request);
  line.shared = shared;
  ++places_taken_;
  if (!std::exchange(running_, true)) thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  curl_multi_wakeup(multi_);
  return std::unique_ptr<EventStream>(std::make_unique<CurlStream>(*this, std::move(shared)));
}

void CurlStreams::close(const std::shared_ptr<Shared>& shared) {
  {
    const std::lock_guard lock(shared->mutex);
    shared->handler = nullptr;
    if (shared->ended) return;
  }
  const std::lock_guard lock(mutex_);
  closed_.push_back(shared);
  curl_multi_wakeup(multi_);
}

void CurlStreams::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    take_orders();
    start_some();
    int running = 0;
    curl_multi_perform(multi_, &running);
    sort_out_started();
    reap();
    give_up_late_ones();
    if (has_room_for_more()) continue;
    const auto wait = starting_.empty() ? kLongestWait : kStartingWait;
    curl_multi_poll(multi_, nullptr, 0, static_cast<int>(wait.count()), nullptr);
  }
}

void CurlStreams::take_orders() {
  std::vector<std::shared_ptr<Shared>> closed;
  {
    const std::lock_guard lock(mutex_);
    waiting_.splice(waiting_.end(), opened_);
    closed.swap(closed_);
  }
  for (const auto& shared : closed) {
    for (auto* lines : {&waiting_, &starting_, &standing_lines_}) {
      const auto line = std::find_if(lines->begin(), lines->end(), [&](const Line& l) { return l.shared == shared; });
      if (line == lines->end()) continue;
      end(*lines, line, {Code::Cancelled, "closed"});
      break;
    }
  }
}

void CurlStreams::start_some() {
  while (has_room_for_more()) {
    starting_.splice(starting_.end(), waiting_, waiting_.begin());
    Line& line = starting_.back();
    if (!start(line)) end(starting_, std::prev(starting_.end()), {Code::Internal, "libcurl cannot be set up"});
  }
}

bool CurlStreams::start(Line& line) {
  line.as_request.target = line.request.target;
  line.exchange.request = &line.as_request;
  line.started = SteadyClock::now();
  bool good = line.headers.append(std::string("Accept: text/event-stream"));
  for (const auto& header : line.request.headers) good = line.headers.append(header) && good;
  line.easy = good ? easy_of(line, start_time_) : nullptr;
  if (line.easy == nullptr) return false;
  if (curl_multi_add_handle(multi_, line.easy) == CURLM_OK) return true;
  curl_easy_cleanup(std::exchange(line.easy, nullptr));
  return false;
}

void CurlStreams::sort_out_started() {
  for (auto line = starting_.begin(); line != starting_.end();) {
    const auto next = std::next(line);
    if (line->is_stream) {
      standing_lines_.splice(standing_lines_.end(), starting_, line);
      ++standing_;
    }
    line = next;
  }
}

void CurlStreams::reap() {
  int queued = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &queued)) {
    if (message->msg != CURLMSG_DONE) continue;
    Line* line = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &line);
    auto& lines = line->is_stream ? standing_lines_ : starting_;
    const auto place = std::find_if(lines.begin(), lines.end(), [&](const Line& l) { return &l == line; });
    end(lines, place, why_ended(message->data.result, *line));
  }
}

void CurlStreams::give_up_late_ones() {
  const auto now = SteadyClock::now();
  for (auto line = starting_.begin(); line != starting_.end();) {
    const auto next = std::next(line);
    if (now - line->started > start_time_)
      end(starting_, line, {Code::Timeout, "no answer to the wish for an event stream"});
    line = next;
  }
}

void CurlStreams::hang_up(Line& line) {
  if (line.easy == nullptr) return;
  curl_multi_remove_handle(multi_, line.easy);
  curl_easy_cleanup(std::exchange(line.easy, nullptr));
}

void CurlStreams::end(Lines& of, Lines::iterator line, Error why) {
  hang_up(*line);
  {
    const std::lock_guard lock(line->shared->mutex);
    line->shared->stands = false;
    line->shared->ended = std::move(why);
  }
  if (line->is_stream) --standing_;
  of.erase(line);
  --places_taken_;
}

}  // namespace

Result<std::unique_ptr<EventStreams>> make_event_streams(std::size_t most, milliseconds start_time) {
  initialise_curl();
  CURLM* multi = curl_multi_init();
  if (multi == nullptr) return Error{Code::Internal, "libcurl cannot be set up"};
  return std::unique_ptr<EventStreams>(std::make_unique<CurlStreams>(most, start_time, multi));
}

}  // namespace nimbus::base
