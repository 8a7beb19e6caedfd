#include "drivers/redfish/hints.hpp"

#include <algorithm>
#include <utility>

#include "drivers/redfish/documents.hpp"

namespace nimbus::redfish {
namespace {

using std::chrono::seconds;

constexpr seconds kFirstPause{60};
constexpr seconds kLongestPause{3600};
constexpr seconds kGoodLife{300};     // a stream that stood so long makes up for earlier failures
constexpr seconds kMostForAsking{2};  // a BMC that is slow with its EventService must not cost a pass
constexpr std::string_view kFilter = "$filter=EventFormatType%20eq%20Event";

}  // namespace

EventService read_event_service(const base::Json& json) {
  return {.stream = text_of(json["ServerSentEventUri"]),
          .enabled = json["ServiceEnabled"].as_bool().value_or(true),
          .filters_by_format = json["SSEFilterPropertiesSupported"]["EventFormatType"].as_bool() == true};
}

bool is_hint(std::string_view data) noexcept { return data.find("#MetricReport.") == std::string_view::npos; }

/// The target of the stream, with its filter.
Result<std::string> SharedHints::find_stream(const Call& call) {
  const auto root = session_.root(call);
  if (!root) return root.error();
  if (root->event_service.empty()) return Error{Code::Unsupported, "the BMC has no event service"};
  const auto answer = session_.get(root->event_service, call);
  if (!answer) return answer.error();
  const auto json = parse_document(answer->body);
  if (!json) return Error(json.error()).with("while reading the event service");
  const auto service = read_event_service(*json);
  if (service.stream.empty()) return Error{Code::Unsupported, "the BMC offers no event stream"};
  if (!service.enabled) return Error{Code::Unsupported, "the BMC's event service is switched off"};
  auto target = session_.target(service.stream);
  if (target && service.filters_by_format && target->find('?') == std::string::npos)
    *target += "?" + std::string(kFilter);
  return target;
}

Result<> SharedHints::offered(const Call& call) {
  const auto found = find_stream(call);
  return found ? Result<>() : Result<>(found.error());
}

void SharedHints::tell_all() {
  const std::lock_guard lock(listeners_mutex_);
  for (const auto& [who, hint] : listeners_) hint();
}

void SharedHints::note_end(MonoTime now) {
  if (stream_ && now - opened_ >= kGoodLife) failures_ = 0;
  stream_.reset();
  const auto pause = kFirstPause * (1 << std::min(failures_, 6));
  not_before_ = now + std::min<seconds>(pause, kLongestPause);
  ++failures_;
}

Result<> SharedHints::open(const Call& call) {
  auto target = find_stream(call);
  if (!target) return std::move(target.error());
  auto login = session_.login_header(call);
  if (!login) return std::move(login.error());
  if (!*login) return Error{Code::Conflict, "there is no session"};
  auto stream = streams_->open({.peer = peer_, .target = std::move(*target), .headers = {std::move(**login)}},
                               [this](std::string_view data) {
                                 if (is_hint(data)) tell_all();
                               });
  if (!stream) return std::move(stream.error());
  stream_ = std::move(*stream);
  return {};
}

Result<> SharedHints::listen(const void* who, std::function<void()> hint, const Call& call) {
  if (streams_ == nullptr) return Error{Code::Unsupported, "no event streams are opened"};
  {
    const std::lock_guard lock(listeners_mutex_);
    listeners_.try_emplace(who, std::move(hint));
  }
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return {};  // another machine behind this BMC sees to it
  const auto now = std::chrono::steady_clock::now();
  if (stream_) {
    trouble_ = stream_->ended();
    if (!trouble_) return {};
    note_end(now);
  }
  if (now < not_before_ && trouble_) return *trouble_;
  auto opened = open({std::min<MonoTime>(call.deadline, now + kMostForAsking), call.stop});
  trouble_.reset();
  if (opened) {
    opened_ = now;
  } else {
    trouble_ = opened.error();
    note_end(now);
  }
  return opened;
}

void SharedHints::forget(const void* who) noexcept {
  {
    const std::lock_guard lock(listeners_mutex_);
    listeners_.erase(who);
    if (!listeners_.empty()) return;
  }
  const std::lock_guard lock(mutex_);
  stream_.reset();
  trouble_.reset();
}

}  // namespace nimbus::redfish
