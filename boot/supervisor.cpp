#include "boot/supervisor.hpp"

#include <algorithm>
#include <chrono>

#include "base/log/log.hpp"
#include "base/process/process.hpp"

namespace nimbus::boot {
namespace {

using std::chrono::milliseconds;
constexpr std::chrono::hours kForever{24 * 365};
constexpr milliseconds kFirstPause{200};
constexpr milliseconds kMostPause{10'000};
constexpr std::chrono::seconds kStable{30};

}  // namespace

Supervisor::Supervisor(std::string name, std::vector<std::string> argv, const Clock& clock)
    : name_(std::move(name)),
      argv_(std::move(argv)),
      clock_(clock),
      thread_([this](const std::stop_token& stop) { keep(stop); }) {}

Supervisor::~Supervisor() {
  thread_.request_stop();
  const std::lock_guard lock(mutex_);
  child_.request_stop();
  condition_.notify_all();
}

void Supervisor::restart() {
  const std::lock_guard lock(mutex_);
  restart_ = true;
  child_.request_stop();
  condition_.notify_all();
}

void Supervisor::keep(const std::stop_token& stop) {
  milliseconds pause = kFirstPause;
  while (!stop.stop_requested()) {
    const MonoTime begun = clock_.now();
    {
      const std::lock_guard lock(mutex_);
      child_ = std::stop_source();
      restart_ = false;
    }
    if (stop.stop_requested()) return;
    run_once();
    std::unique_lock lock(mutex_);
    if (restart_ || stop.stop_requested()) continue;
    pause = clock_.now() - begun > kStable ? kFirstPause : std::min(pause * 2, kMostPause);
    condition_.wait_for(lock, stop, pause, [this] { return restart_; });
  }
}

void Supervisor::run_once() {
  std::stop_token stop;
  {
    const std::lock_guard lock(mutex_);
    stop = child_.get_token();
  }
  auto result = base::run_program({.argv = argv_, .environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}},
                                  {clock_.now() + kForever, stop}, clock_);
  if (!result) {
    base::log(base::Level::Error, "child-not-started", result.error().text(), {{"program", name_}});
  } else if (result->end != base::ProgramEnd::Cancelled) {
    base::log(base::Level::Error, "child-ended", result->errors.text.empty() ? "ended" : result->errors.text,
              {{"program", name_}, {"code", std::to_string(result->exit_code)}});
  }
}

}  // namespace nimbus::boot
