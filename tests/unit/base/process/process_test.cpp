#include "base/process/process.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "base/time/time.hpp"

using namespace nimbus;
using namespace nimbus::base;
using namespace std::chrono_literals;

namespace {

const SystemClock the_clock;

Call within(std::chrono::milliseconds time, std::stop_token stop = {}) {
  return Call{the_clock.now() + time, std::move(stop)};
}

Program shell(const std::string& script) {
  return Program{.argv = {"/bin/sh", "-c", script}, .environment = {"PATH=/usr/bin:/bin"}};
}

ProgramResult ran(const Program& program, const Call& call) {
  auto result = run_program(program, call, the_clock);
  REQUIRE_MESSAGE(result.has_value(), result.error().text());
  return *result;
}

std::size_t open_descriptors() {
  std::size_t n = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++n;
  return n;
}

/// Waits until the process is gone (or a zombie that somebody else must reap).
bool ends(pid_t pid) {
  const auto until = the_clock.now() + 10s;
  while (the_clock.now() < until) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string line;
    if (!std::getline(file, line) || line.find(") Z") != std::string::npos) return true;
    std::this_thread::yield();
  }
  return false;
}

}  // namespace

TEST_CASE("a program sees its arguments, environment, folder and input, and nothing else") {
  ::setenv("NIMBUS_LEAK", "yes", 1);
  auto program = shell("printf '%s|' \"$0\" \"$@\"; pwd; env | sort; cat; echo oops >&2; exit 7");
  program.argv.insert(program.argv.end(), {"a b", "$(id)", ""});
  program.environment = {"PATH=/usr/bin:/bin", "WORD=x y"};
  program.folder = "/usr";
  program.input = std::string("in\0", 3);
  const auto result = ran(program, within(10s));
  CHECK(result.end == ProgramEnd::Exited);
  CHECK(result.exit_code == 7);
  CHECK(result.output.text == "a b|$(id)||/usr\nPATH=/usr/bin:/bin\nPWD=/usr\nWORD=x y\n" + program.input);
  CHECK(result.errors.text == "oops\n");
  CHECK(!result.output.cut);
}

TEST_CASE("argv[0] without a slash is looked up in PATH; an empty input is an empty input") {
  const auto result = ran(Program{.argv = {"cat"}}, within(10s));
  CHECK(result.exit_code == 0);
  CHECK(result.output.text.empty());
}

TEST_CASE("input and output far larger than a pipe; what exceeds the limit is dropped and flagged") {
  Program program{.argv = {"cat"}, .input = std::string(3 << 20, 'x'), .output_limit_bytes = 1 << 20};
  auto result = ran(program, within(20s));
  CHECK(result.exit_code == 0);
  CHECK(result.output.text.size() == 1 << 20);
  CHECK(result.output.cut);
  program.output_limit_bytes = 3 << 20;
  result = ran(program, within(20s));
  CHECK(result.output.text == program.input);
  CHECK(!result.output.cut);

  auto noisy = shell("head -c 200000 /dev/zero >&2");
  noisy.errors_limit_bytes = 10;
  result = ran(noisy, within(20s));
  CHECK(result.errors.text.size() == 10);
  CHECK(result.errors.cut);
  CHECK(result.exit_code == 0);
}

TEST_CASE("a program that does not read its input does not hurt") {
  Program program{.argv = {"true"}, .input = std::string(5 << 20, 'x')};
  CHECK(ran(program, within(10s)).exit_code == 0);
}

TEST_CASE("a signal that did not come from here") {
  const auto result = ran(shell("kill -SEGV $$"), within(10s));
  CHECK(result.end == ProgramEnd::Signalled);
  CHECK(result.signal == SIGSEGV);
  CHECK(result.exit_code == -1);
}

TEST_CASE("the deadline ends a program and what it started") {
  // The grandchild's id comes out first; both ignore SIGTERM.
  auto program = shell("trap '' TERM; sleep 1000 & echo $!; wait; wait");
  program.grace = 50ms;
  const auto begin = the_clock.now();
  const auto result = ran(program, within(300ms));
  CHECK(the_clock.now() - begin < 10s);
  CHECK(result.end == ProgramEnd::TimedOut);
  CHECK(result.signal == SIGKILL);
  CHECK(ends(std::stoi(result.output.text)));
}

TEST_CASE("a polite program has its grace") {
  auto program = shell("trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.01; done");
  program.grace = 10s;
  const auto result = ran(program, within(500ms));
  CHECK(result.end == ProgramEnd::TimedOut);
  CHECK(result.exit_code == 3);
  CHECK(result.output.text == "ready\nbye\n");
}

TEST_CASE("a stopped program ends too") {
  auto program = shell("kill -STOP $$; echo never");
  program.grace = 50ms;
  CHECK(ran(program, within(200ms)).end == ProgramEnd::TimedOut);
}

TEST_CASE("a program that writes without pause does not hide the deadline") {
  auto program = Program{.argv = {"yes"}, .output_limit_bytes = 1000};
  const auto result = ran(program, within(200ms));
  CHECK(result.end == ProgramEnd::TimedOut);
  CHECK(result.output.text.size() == 1000);
}

TEST_CASE("somebody who keeps the pipes open after the program's end is not waited for") {
  const auto begin = the_clock.now();
  const auto result = ran(shell("sleep 1000 & echo $!"), within(100s));
  CHECK(the_clock.now() - begin < 50s);
  CHECK(result.exit_code == 0);
  CHECK(ends(std::stoi(result.output.text)));
}

TEST_CASE("the stop token ends a program at once") {
  std::stop_source source;
  const auto folder = std::filesystem::temp_directory_path() / ("nimbus-process-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const auto fifo = (folder / "started").string();
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  std::jthread stopper([&] {
    std::ifstream wait_for_start(fifo);
    std::string line;
    std::getline(wait_for_start, line);
    source.request_stop();
  });
  const auto result = ran(shell("echo up > " + fifo + "; sleep 1000"), within(100s, source.get_token()));
  stopper.join();
  std::filesystem::remove_all(folder);
  CHECK(result.end == ProgramEnd::Cancelled);

  const auto refused = run_program(shell("true"), within(10s, source.get_token()), the_clock);
  REQUIRE(!refused.has_value());
  CHECK(refused.error().code == Code::Cancelled);
}

TEST_CASE("what cannot be started is an error") {
  const auto code = [](const Program& program) {
    const auto result = run_program(program, within(10s), the_clock);
    REQUIRE(!result.has_value());
    return result.error().code;
  };
  CHECK(code(Program{.argv = {"/no/such/program"}}) == Code::NotFound);
  CHECK(code(Program{.argv = {"no-such-program-anywhere"}}) == Code::NotFound);
  CHECK(code(Program{.argv = {"/etc/passwd"}}) == Code::Invalid);
  const auto text = (std::filesystem::temp_directory_path() / ("nimbus-text-" + std::to_string(::getpid()))).string();
  std::ofstream(text) << "echo run by a shell\n";
  std::filesystem::permissions(text, std::filesystem::perms::owner_all);
  CHECK(code(Program{.argv = {text}}) == Code::Invalid);
  std::filesystem::remove(text);
  CHECK(code(Program{.argv = {"true"}, .folder = "/no/such/folder"}) == Code::Invalid);
  CHECK(code(Program{.argv = {}}) == Code::Invalid);
  CHECK(code(Program{.argv = {"true", std::string("a\0b", 3)}}) == Code::Invalid);
  const auto late = run_program(shell("true"), within(0ms), the_clock);
  REQUIRE(!late.has_value());
  CHECK(late.error().code == Code::Timeout);
}

TEST_CASE("the limit on written files") {
  const auto path = (std::filesystem::temp_directory_path() / ("nimbus-limit-" + std::to_string(::getpid()))).string();
  auto program = Program{.argv = {"dd", "if=/dev/zero", "of=" + path, "bs=1024", "count=4096"}};
  program.file_limit_bytes = 1 << 20;
  const auto result = ran(program, within(20s));
  CHECK(result.end == ProgramEnd::Signalled);
  CHECK(result.signal == SIGXFSZ);
  CHECK(std::filesystem::file_size(path) <= 1 << 20);
  std::filesystem::remove(path);
}

TEST_CASE("descriptors neither reach the child nor stay behind") {
  const int leaky = ::open("/dev/null", O_RDONLY);  // without O_CLOEXEC
  REQUIRE(leaky >= 0);
  CHECK(ran(shell("ls /proc/self/fd"), within(10s)).output.text == "0\n1\n2\n3\n");  // 3 is ls's own
  const auto before = open_descriptors();
  for (int i = 0; i < 20; ++i) {
    CHECK(ran(shell("echo x"), within(10s)).output.text == "x\n");
    CHECK(!run_program(Program{.argv = {"/no/such"}}, within(10s), the_clock).has_value());
  }
  CHECK(open_descriptors() == before);
  ::close(leaky);
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);  // no zombies
  CHECK(errno == ECHILD);
}

TEST_CASE("a program does not outlive a killed parent") {
  int ends_of_pipe[2];
  REQUIRE(::pipe(ends_of_pipe) == 0);
  const pid_t parent = ::fork();
  if (parent == 0) {
    // Its standard output is captured; the pipe must not reach it otherwise.
    const auto fd = "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(ends_of_pipe[1]);
    (void)run_program(shell("echo $$ > " + fd + "; exec sleep 1000"), within(1000s), the_clock);
    ::_exit(0);
  }
  ::close(ends_of_pipe[1]);
  char text[32] = {};
  REQUIRE(::read(ends_of_pipe[0], text, sizeof text - 1) > 0);
  ::close(ends_of_pipe[0]);
  ::kill(parent, SIGKILL);
  REQUIRE(::waitpid(parent, nullptr, 0) == parent);
  CHECK(ends(std::stoi(text)));
}

TEST_CASE("many threads at once") {
  std::vector<std::jthread> threads;
  std::vector<std::string> outputs(8);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    threads.emplace_back([i, &outputs] {
      for (int round = 0; round < 10; ++round) {
        const auto result = run_program(Program{.argv = {"cat"}, .input = std::to_string(i)}, within(30s), the_clock);
        if (result) outputs[i] += result->output.text;
      }
    });
  }
  threads.clear();
  for (std::size_t i = 0; i < outputs.size(); ++i) CHECK(outputs[i] == std::string(10, static_cast<char>('0' + i)));
}
