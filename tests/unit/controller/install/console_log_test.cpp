#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <mutex>

#include "base/file/file.hpp"
#include "base/time/time.hpp"
#include "controller/install/console_log.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using namespace std::chrono_literals;

namespace {

/// A serial line that says what the test puts into it.
class Line final : public Bmc, private BmcConsole {
 public:
  BmcConsole* console() noexcept override { return offered ? this : nullptr; }
  void close(const Call&) noexcept override {}
  void say(std::string text) {
    const std::lock_guard lock(mutex);
    said.push_back(std::move(text));
    changed.notify_all();
  }
  void cut() { say(std::string()); }

  bool offered = true;
  bool busy = false;
  std::atomic<int> opened = 0;
  std::atomic<int> closed = 0;

 private:
  struct Session final : ConsoleSession {
    explicit Session(Line& line) : line_(line) {}
    Result<std::string> read(const Call& call) override {
      std::unique_lock lock(line_.mutex);
      if (!line_.changed.wait_for(lock, call.stop, 50ms, [&] { return !line_.said.empty(); })) {
        return Error{Code::Timeout, "nothing came"};
      }
      std::string text = line_.said.front();
      line_.said.pop_front();
      if (text.empty()) return Error{Code::Unreachable, "the session was lost"};
      return text;
    }
    Result<void> write(std::string_view bytes, const Call&) override {
      line_.say("<" + std::string(bytes) + ">\n");
      return {};
    }
    Result<void> send_break(const Call&) override { return {}; }
    void close(const Call&) noexcept override { ++line_.closed; }
    Line& line_;
  };
  Result<std::unique_ptr<ConsoleSession>> open_console(const Call&) override {
    if (busy) return Error{Code::Busy, "somebody else holds the console"};
    ++opened;
    return std::make_unique<Session>(*this);
  }

  std::mutex mutex;
  std::condition_variable_any changed;
  std::deque<std::string> said;
};

struct Folder {
  Folder() {
    std::string name = "/tmp/nimbus-console-XXXXXX";
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    text = name;
  }
  ~Folder() { std::filesystem::remove_all(text); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string path() const { return text; }
  std::string text;
};

struct Bench {
  base::SystemClock clock;
  Folder folder;
  Line line;
  Call call() { return {clock.now() + 10s}; }
  /// The last line is this one, soon.
  bool until_last(const ConsoleLog& log, const std::string& wanted) {
    const MonoTime end = clock.now() + 20s;
    while (clock.now() < end) {
      const auto tail = log.tail("m1");
      if (!tail.empty() && tail.back() == wanted) return true;
      std::this_thread::yield();
    }
    return false;
  }
};

}  // namespace

TEST_CASE("what a machine prints is recorded, and ends as a file") {
  Bench bench;
  {
    ConsoleLog log(bench.clock, bench.folder.path() + "/consoles");
    log.begin("m1", bench.line, bench.call());
    log.begin("m1", bench.line, bench.call());
    CHECK(bench.line.opened == 1);
    bench.line.say("iPXE\r\nnimbus-installer: plan\n");
    bench.line.say("no bootable device\n");
    REQUIRE(bench.until_last(log, "no bootable device"));
    CHECK(log.tail("m1") == std::vector<std::string>{"iPXE", "nimbus-installer: plan", "no bootable device"});
    CHECK(log.tail("m2").empty());
    log.end("m1");
    CHECK(bench.line.closed == 1);
    CHECK(log.tail("m1").empty());
    log.end("m1");
  }
  CHECK(*base::read_file(bench.folder.path() + "/consoles/m1.log", 1000) ==
        "iPXE\r\nnimbus-installer: plan\nno bootable device\n");
}

TEST_CASE("a recording is bounded, and ends with the controller") {
  Bench bench;
  {
    ConsoleLog log(bench.clock, bench.folder.path());
    log.begin("m1", bench.line, bench.call());
    for (int i = 0; i < 40; ++i) bench.line.say(std::string(10'000, 'x') + "\n");
    bench.line.say("end\n");
    REQUIRE(bench.until_last(log, "end"));
    CHECK(log.tail("m1").size() <= ConsoleLog::kTailLines);
  }
  CHECK(bench.line.closed == 1);
  CHECK(base::read_file(bench.folder.path() + "/m1.log", 1'000'000)->size() == ConsoleLog::kMostBytes);
}

TEST_CASE("a session that is cut is opened again, and what it said stays") {
  Bench bench;
  ConsoleLog log(bench.clock, "");
  log.begin("m1", bench.line, bench.call());
  bench.line.say("before\n");
  bench.line.cut();
  const MonoTime end = bench.clock.now() + 20s;
  while (bench.line.opened < 2 && bench.clock.now() < end) log.begin("m1", bench.line, bench.call());
  REQUIRE(bench.line.opened == 2);
  bench.line.say("after\n");
  REQUIRE(bench.until_last(log, "after"));
  CHECK(log.tail("m1") == std::vector<std::string>{"before", "after"});
}

TEST_CASE("no console, or one that somebody else holds: not recorded, and not asked for all the time") {
  Bench bench;
  ConsoleLog log(bench.clock, "");
  bench.line.offered = false;
  log.begin("m1", bench.line, bench.call());
  bench.line.offered = bench.line.busy = true;
  log.begin("m1", bench.line, bench.call());
  bench.line.busy = false;
  log.begin("m1", bench.line, bench.call());  // too soon
  CHECK(bench.line.opened == 0);
  CHECK(log.tail("m1").empty());
}

TEST_CASE("people look on a console that is recorded, and type") {
  Bench bench;
  ConsoleLog log(bench.clock, "");
  CHECK(log.attach("m1").error().code == Code::NotFound);
  CHECK(log.read("m1", 0).error().code == Code::NotFound);
  log.begin("m1", bench.line, bench.call());
  CHECK(log.type("m1", "x").error().code == Code::Conflict);  // a person attaches first
  bench.line.say("login: \n");
  REQUIRE(bench.until_last(log, "login:"));
  const auto after = log.attach("m1");
  REQUIRE(after);
  const auto first = log.read("m1", *after);
  REQUIRE(first);
  CHECK(first->bytes == "login: \n");
  CHECK(log.read("m1", first->next)->bytes.empty());
  REQUIRE(log.type("m1", "ro"));
  REQUIRE(bench.until_last(log, "<ro>"));
  CHECK(log.read("m1", first->next)->bytes == "<ro>\n");
  CHECK(log.read("m1", 1'000'000)->bytes.empty());  // of another recording
  CHECK_FALSE(log.type("m1", std::string(5000, 'x')));
  log.end("m1");
  CHECK(log.read("m1", first->next).error().code == Code::NotFound);
}

TEST_CASE("who reads a console late goes on where it is kept from") {
  Bench bench;
  ConsoleLog log(bench.clock, "");
  log.begin("m1", bench.line, bench.call());
  for (int i = 0; i < 40; ++i) bench.line.say(std::string(10'000, 'x') + "\n");
  bench.line.say("end\n");
  REQUIRE(bench.until_last(log, "end"));
  const auto all = log.read("m1", 0);
  REQUIRE(all);
  CHECK(all->bytes.size() == ConsoleLog::kMostBytes);
  CHECK(all->next == 40 * 10'001 + 4);
  CHECK(*log.attach("m1") == all->next - static_cast<std::int64_t>(ConsoleLog::kMostBytes));
}

TEST_CASE("the last lines of a terminal's output") {
  CHECK(last_lines("", 5).empty());
  CHECK(last_lines("\x1b[2J\x1b[0;1miPXE\x1b[0m boots\r\n\r\n  \nnet0\x1b", 5) ==
        std::vector<std::string>{"iPXE boots", "net0"});
  CHECK(last_lines("1\n2\n3\n", 2) == std::vector<std::string>{"2", "3"});
  CHECK(last_lines("10%\r20%\r", 5) == std::vector<std::string>{"10%", "20%"});
  CHECK(last_lines("a\x01\xff"
                   "b",
                   1)
            .front()
            .find('\x01') == std::string::npos);
  CHECK(last_lines(std::string(5000, 'x'), 1).front().size() < 300);
}
