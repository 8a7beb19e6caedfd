#include "controller/loops/publish_loop.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/core.h>

#include "base/log/log.hpp"
#include "controller/loops/threads.hpp"

namespace nimbus::controller {
namespace {

using base::Level;
using std::chrono::milliseconds;
using Topic = Details::Topic;

constexpr milliseconds kFirstRetry{1000};

}  // namespace

Call PublishLoop::call(std::stop_token stop) const {
  return {tools_.clock.now() + tools_.current.get()->git_deadline, std::move(stop)};
}

void PublishLoop::run(std::stop_token stop) {
  if (!take_term(stop)) return;
  Trouble trouble("push-failed", "push-works");
  while (!stop.stop_requested()) {
    const auto current = tools_.current.get();
    const auto heartbeat = tools_.config.heartbeat;
    tools_.vitals.back_by(Vitals::Part::Publish,
                          tools_.clock.now() + heartbeat + 3 * current->git_deadline + current->publish);
    wake_.wait_until(tools_.clock.now() + heartbeat, stop);
    if (stop.stop_requested()) return;
    auto flushed = tools_.publisher.flush(call(stop));
    if (stop.stop_requested()) return;
    if (flushed) {
      trouble.over();
      if (flushed->commit) {
        tools_.exchanged("push", true);
        base::log(Level::Info, "status-pushed", fmt::format("{} documents", flushed->documents),
                  {{"commit", *flushed->commit}});
      }
    } else {
      tools_.exchanged("push", false);
      trouble.met(flushed.error());
      if (deposed()) return tools_.vitals.over(Vitals::Part::Publish);
      wake_.wake();  // what could not be pushed is tried again
    }
    tools_.details.set(Topic::Push, trouble.text());
    pause(tools_.clock, tools_.current.get()->publish, stop);
  }
}

bool PublishLoop::take_term(std::stop_token stop) {
  while (!tools_.placed()) {
    if (stop.stop_requested()) return false;
    wake_.wait(stop);
  }
  Trouble trouble("term-not-taken", "forge-answers");
  milliseconds delay = kFirstRetry;
  while (!stop.stop_requested()) {
    const auto current = tools_.current.get();
    tools_.vitals.back_by(Vitals::Part::Publish, tools_.clock.now() + 3 * current->git_deadline + 2 * delay);
    auto taken = tools_.publisher.take_term(call(stop));
    tools_.exchanged("push", taken.has_value());
    if (taken) {
      trouble.over();
      tools_.details.set(Topic::Push, "");
      base::log(Level::Info, "term-taken", "this controller may write now", {{"term", std::to_string(taken->term)}});
      compare_memories(*taken);
      tools_.term_taken(*taken);
      return true;
    }
    trouble.met(taken.error());
    tools_.details.set(Topic::Push, "no term yet: " + taken.error().text());
    pause(tools_.clock, with_jitter(delay), stop);
    delay = std::min(delay * 2, current->poll);
  }
  return false;
}

/// A data folder that knows less than the branch was restored from a copy, or is
/// shared. What the branch says counts; a person should know.
void PublishLoop::compare_memories(const TermTaken& taken) {
  const std::string key = "term";
  const auto known = tools_.journal.recall(key);
  const bool ours = taken.before && taken.before->id == tools_.config.id;
  if (ours && known && *known && **known != std::to_string(taken.before->term)) {
    base::log(Level::Error, "data-folder-older",
              "the data folder is an older copy, or another controller has the same id; the status branch counts",
              {{"folder_term", **known}, {"branch_term", std::to_string(taken.before->term)}});
    tools_.folder_older();
  }
  if (auto kept = tools_.journal.remember(key, std::to_string(taken.term)); !kept) {
    base::log(Level::Error, "journal-failed", kept.error().text());
  }
}

bool PublishLoop::deposed() {
  const Authority authority = tools_.publisher.authority();
  if (authority.state != Authority::State::Deposed) return false;
  tools_.details.set(Topic::Push, "deposed: " + authority.detail);
  base::log(Level::Error, "deposed", "another controller took over; this one only observes until it is restarted",
            {{"detail", authority.detail}});
  tools_.deposed(authority.detail);
  return true;
}

}  // namespace nimbus::controller
