#include "controller/forge/reporter.hpp"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "base/file/file.hpp"
#include "base/log/log.hpp"
#include "base/text/text.hpp"

namespace nimbus::controller {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMostTokenBytes = 4096;
constexpr std::size_t kMostCaBytes = std::size_t{4} << 20U;
constexpr milliseconds kDeadline{30'000};
constexpr milliseconds kFirstPause{1000};
constexpr milliseconds kLongestPause{300'000};

std::string text_of(const CommitStatus& status) {
  return fmt::format("{} {} {}", status.commit, static_cast<int>(status.state), status.description);
}

}  // namespace

ForgeReporter::ForgeReporter(Options options, const Clock& clock, Memory memory,
                             std::unique_ptr<base::HttpClient> client)
    : options_(std::move(options)), clock_(clock), memory_(std::move(memory)), client_(std::move(client)) {}

Result<std::unique_ptr<ForgeReporter>> ForgeReporter::make(Options options, const Clock& clock, Memory memory) {
  constexpr std::string_view kScheme = "https://";
  auto ca = base::read_file(options.ca_file, kMostCaBytes);
  if (!ca) return std::move(ca.error()).with("while reading the CA of the forge's API");
  const auto slash = options.api.find('/', kScheme.size());
  options.project.base = slash == std::string::npos ? "" : options.api.substr(slash);
  while (options.project.base.ends_with('/')) options.project.base.pop_back();
  auto client = base::make_http_client({.origin = options.api.substr(0, slash),
                                        .pins = {},
                                        .ca_pem = std::move(*ca),
                                        .use = base::ConnectionUse::CloseAfterEach});
  if (!client) return std::move(client.error()).with("while preparing the forge's API");
  return std::unique_ptr<ForgeReporter>(
      new ForgeReporter(std::move(options), clock, std::move(memory), std::move(*client)));
}

void ForgeReporter::tell(CommitStatus status) {
  {
    const std::lock_guard lock(mutex_);
    next_ = std::move(status);
  }
  wake_.wake();
}

void ForgeReporter::work(std::stop_token stop) {
  milliseconds delay = kFirstPause;
  std::string trouble;
  while (!stop.stop_requested()) {
    std::optional<CommitStatus> status;
    {
      const std::lock_guard lock(mutex_);
      status = next_;
    }
    if (!status || memory_.known(text_of(*status))) {
      wake_.wait(stop);
      continue;
    }
    auto sent = memory_.may_speak() ? send(*status, {clock_.now() + kDeadline, stop})
                                    : Result<>(Error{Code::Busy, "the term is not held"});
    if (stop.stop_requested()) return;
    if (sent) {
      if (!trouble.empty()) base::log(base::Level::Info, "forge-status-works", "the forge takes commit statuses again");
      trouble.clear();
      delay = kFirstPause;
      memory_.remember(text_of(*status));
      continue;
    }
    const bool silent = sent.error().code == Code::Busy;
    if (!silent && sent.error().text() != trouble) {
      trouble = sent.error().text();
      base::log(base::Level::Warning, "forge-status-failed", trouble, {{"commit", status->commit}});
    }
    // A newer status wakes it before that.
    wake_.wait_until(clock_.now() + delay, stop);
    if (!silent) delay = std::min(delay * 2, kLongestPause);
  }
}

Result<> ForgeReporter::send(const CommitStatus& status, const Call& call) {
  auto text = base::read_private_file(options_.token_file, kMostTokenBytes);
  if (!text) return std::move(text.error()).with("while reading the token for commit statuses");
  const Secret token{std::string(base::trim(*text))};
  const auto answer = client_->send(status_request(options_.project, status, token), call);
  if (!answer) return Error(answer.error().error).with("while telling the forge a commit's status");
  if (answer->status >= 200 && answer->status < 300) return {};
  // GitLab refuses a state that it has already: that is as good.
  if (options_.project.api == ForgeApi::Gitlab && answer->status == 400 &&
      answer->body.find("Cannot transition status") != std::string::npos) {
    return {};
  }
  const bool auth = answer->status == 401 || answer->status == 403;
  return Error{auth ? Code::Auth : Code::Invalid, fmt::format("the forge answered {} to a commit status: {}",
                                                              answer->status, base::printable(answer->body, 200))};
}

}  // namespace nimbus::controller
