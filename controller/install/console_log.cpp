#include "controller/install/console_log.hpp"

#include <algorithm>

#include "base/file/file.hpp"
#include "base/log/log.hpp"
#include "base/text/text.hpp"

namespace nimbus::controller {
namespace {

constexpr std::chrono::seconds kAskAgain{30};
constexpr std::chrono::seconds kRead{1};        // until somebody who attaches is noticed
constexpr std::chrono::milliseconds kTurn{50};  // between what is typed
constexpr std::chrono::seconds kWrite{5};
constexpr std::chrono::seconds kPatience{10};  // with somebody who looks on and does not read
constexpr std::size_t kMostTyped = 4096;
constexpr std::chrono::seconds kClose{2};
constexpr std::size_t kLineBytes = 200;

/// Where an escape sequence that begins at `at` ends (ECMA-48: CSI, and two-byte ones).
std::size_t end_of_escape(std::string_view text, std::size_t at) {
  ++at;
  if (at >= text.size() || text[at] != '[') return std::min(at + 1, text.size());
  ++at;
  while (at < text.size() && (text[at] < '@' || text[at] > '~')) ++at;
  return std::min(at + 1, text.size());
}

void say_lost(const std::string& machine, const Error& error) {
  base::log(base::Level::Info, "console-lost", error.text(), {{"machine", machine}});
}

}  // namespace

std::vector<std::string> last_lines(std::string_view output, std::size_t most) {
  constexpr char kEscape = '\x1b';
  std::string plain;
  for (std::size_t at = 0; at < output.size();) {
    if (output[at] == kEscape) {
      at = end_of_escape(output, at);
      continue;
    }
    plain.push_back(output[at] == '\r' ? '\n' : output[at]);
    ++at;
  }
  std::vector<std::string> lines;
  for (const auto line : base::split(plain, '\n')) {
    const auto text = base::trim(line);
    if (!text.empty()) lines.push_back(base::printable(text, kLineBytes));
  }
  if (lines.size() > most) lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(most));
  return lines;
}

ConsoleLog::~ConsoleLog() {
  std::map<std::string, std::shared_ptr<Recording>> all;
  {
    const std::lock_guard lock(mutex_);
    all.swap(recordings_);
    for (auto& [machine, recording] : all) recording->stop.request_stop();
  }
  for (auto& [machine, recording] : all) {
    if (recording->thread.joinable()) recording->thread.join();
  }
}

void ConsoleLog::begin(const std::string& machine, Bmc& bmc, const Call& call) {
  {
    const std::lock_guard lock(mutex_);
    if (bmc.console() == nullptr) return;
    const auto known = recordings_.find(machine);
    if (known != recordings_.end() && !known->second->over) return;
    const auto refused = refused_.find(machine);
    if (refused != refused_.end() && clock_.now() - refused->second < kAskAgain) return;
    const auto running =
        std::count_if(recordings_.begin(), recordings_.end(), [](const auto& r) { return !r.second->over; });
    if (static_cast<std::size_t>(running) >= kMostMachines) return;
  }
  auto session = bmc.console()->open_console(call);
  const std::lock_guard lock(mutex_);
  if (!session) {
    refused_[machine] = clock_.now();
    base::log(base::Level::Info, "console-not-recorded", session.error().text(), {{"machine", machine}});
    return;
  }
  refused_.erase(machine);
  auto& place = recordings_[machine];
  auto next = std::make_shared<Recording>();
  if (place) {  // a session that was cut: what it said stays
    next->output = place->output;
    next->forgotten = place->forgotten;
    next->watched = place->watched;
    if (place->thread.joinable()) place->thread.join();
  }
  place = next;
  next->thread = std::jthread(
      [this, machine, next, session = std::move(*session)]() mutable { record(machine, next, std::move(session)); });
}

void ConsoleLog::record(const std::string& machine, std::shared_ptr<Recording> recording,
                        std::unique_ptr<ConsoleSession> session) const {
  const auto stop = recording->stop.get_token();
  while (!stop.stop_requested()) {
    if (auto sent = send_typed(*recording, *session); !sent) {
      say_lost(machine, sent.error());
      break;
    }
    const MonoTime now = clock_.now();
    const bool watched = [&] {
      const std::lock_guard lock(mutex_);
      return now < recording->watched;
    }();
    auto bytes = session->read({now + (watched ? MonoTime::duration(kTurn) : kRead), stop});
    if (!bytes && bytes.error().code == Code::Timeout) continue;
    if (!bytes) {
      if (!stop.stop_requested()) say_lost(machine, bytes.error());
      break;
    }
    const std::lock_guard lock(mutex_);
    auto& output = recording->output;
    output += *bytes;
    if (output.size() <= kMostBytes) continue;
    const std::size_t over = output.size() - kMostBytes;
    output.erase(0, over);
    recording->forgotten += static_cast<std::int64_t>(over);
  }
  session->close({clock_.now() + kClose});
  std::string output;
  {
    const std::lock_guard lock(mutex_);
    recording->over = true;
    output = recording->output;
  }
  if (folder_.empty() || output.empty()) return;
  auto kept = base::make_folders(folder_, 0700);
  if (kept) kept = base::write_file_atomically(folder_ + "/" + machine + ".log", output, 0600);
  if (!kept) base::log(base::Level::Warning, "console-not-kept", kept.error().text(), {{"machine", machine}});
}

/// Errors end the session. What the machine did not take in time is lost, as the driver says.
Result<> ConsoleLog::send_typed(Recording& recording, ConsoleSession& session) const {
  std::string keys;
  {
    const std::lock_guard lock(mutex_);
    keys.swap(recording.typed);
  }
  if (keys.empty()) return {};
  auto sent = session.write(keys, {clock_.now() + kWrite, recording.stop.get_token()});
  if (sent || sent.error().code == Code::Timeout) return {};
  return std::move(sent.error());
}

/// Under the lock.
Result<std::shared_ptr<ConsoleLog::Recording>> ConsoleLog::running(const std::string& machine) const {
  const auto known = recordings_.find(machine);
  if (known != recordings_.end() && !known->second->over) return known->second;
  return Error{Code::NotFound, "the console of " + machine + " is not being recorded"};
}

Result<std::int64_t> ConsoleLog::attach(const std::string& machine) {
  const std::lock_guard lock(mutex_);
  auto recording = running(machine);
  if (!recording) return std::move(recording.error());
  (*recording)->watched = clock_.now() + kPatience;
  return (*recording)->forgotten;
}

Result<ConsolePiece> ConsoleLog::read(const std::string& machine, std::int64_t after) {
  const std::lock_guard lock(mutex_);
  auto found = running(machine);
  if (!found) return std::move(found.error());
  Recording& recording = **found;
  const MonoTime now = clock_.now();
  if (now < recording.watched) recording.watched = now + kPatience;
  const auto size = static_cast<std::int64_t>(recording.output.size());
  const auto from = std::clamp<std::int64_t>(after - recording.forgotten, 0, size);
  return ConsolePiece{.bytes = recording.output.substr(static_cast<std::size_t>(from)),
                      .next = recording.forgotten + size};
}

Result<> ConsoleLog::type(const std::string& machine, const std::string& bytes) {
  const std::lock_guard lock(mutex_);
  auto found = running(machine);
  if (!found) return std::move(found.error());
  Recording& recording = **found;
  if (clock_.now() >= recording.watched) return Error{Code::Conflict, "attach to the console before you type"};
  if (recording.typed.size() + bytes.size() > kMostTyped)
    return Error{Code::RateLimited, "the machine takes no more for now"};
  recording.typed += bytes;
  return {};
}

std::vector<std::string> ConsoleLog::tail(const std::string& machine) const {
  const std::lock_guard lock(mutex_);
  const auto known = recordings_.find(machine);
  return known == recordings_.end() ? std::vector<std::string>() : last_lines(known->second->output, kTailLines);
}

void ConsoleLog::end(const std::string& machine) {
  std::shared_ptr<Recording> recording;
  {
    const std::lock_guard lock(mutex_);
    refused_.erase(machine);
    const auto known = recordings_.find(machine);
    if (known == recordings_.end()) return;
    recording = known->second;
    recordings_.erase(known);
    recording->stop.request_stop();
  }
  if (recording->thread.joinable()) recording->thread.join();
}

}  // namespace nimbus::controller
