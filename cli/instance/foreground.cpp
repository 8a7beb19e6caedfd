#include "cli/instance/foreground.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

extern char** environ;

namespace nimbus::cli {
namespace {

Error failed(const std::string& what, int number) {
  return {number == ENOENT ? Code::NotFound : Code::Internal, "cannot run " + what + ": " + std::strerror(number)};
}

class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }
  int number() const { return number_; }
  void close() {
    if (number_ >= 0) ::close(number_);
    number_ = -1;
  }

 private:
  int number_;
};

class IgnoredInterrupts {
 public:
  IgnoredInterrupts() : interrupt_(std::signal(SIGINT, SIG_IGN)), quit_(std::signal(SIGQUIT, SIG_IGN)) {}
  IgnoredInterrupts(const IgnoredInterrupts&) = delete;
  IgnoredInterrupts& operator=(const IgnoredInterrupts&) = delete;
  ~IgnoredInterrupts() {
    std::signal(SIGINT, interrupt_);
    std::signal(SIGQUIT, quit_);
  }

 private:
  void (*interrupt_)(int);
  void (*quit_)(int);
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

/// A file in memory that holds `text`, to be read from its beginning; -1: none.
int memory_file(const std::string& text) {
  const int file = ::memfd_create("input", MFD_CLOEXEC);
  std::size_t at = 0;
  while (file >= 0 && at < text.size()) {
    const auto wrote = ::write(file, text.data() + at, text.size() - at);
    if (wrote <= 0) break;
    at += static_cast<std::size_t>(wrote);
  }
  if (file >= 0) ::lseek(file, 0, SEEK_SET);
  return file;
}

std::string read_all(int from) {
  std::string out;
  std::array<char, 8192> buffer{};
  while (true) {
    const auto got = ::read(from, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return out;
    if (out.size() < kMostForegroundBytes) out.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace

Result<ForegroundResult> run_foreground(const Foreground& program) {
  std::vector<std::string> arguments = program.argv;
  std::vector<std::string> environment;
  for (char** each = environ; *each != nullptr; ++each) environment.emplace_back(*each);
  environment.insert(environment.end(), program.more_environment.begin(), program.more_environment.end());
  const auto argv = pointers(arguments), envp = pointers(environment);

  std::array<int, 2> ends{-1, -1};
  const bool captures = program.streams == Streams::Capture;
  if (captures && ::pipe2(ends.data(), O_CLOEXEC) != 0) return failed(arguments.front(), errno);
  const Descriptor read_end(ends[0]);
  Descriptor write_end(ends[1]);
  const Descriptor input(
      captures ? (program.input.empty() ? ::open("/dev/null", O_RDONLY | O_CLOEXEC) : memory_file(program.input)) : -1);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (captures) {
    posix_spawn_file_actions_adddup2(&actions, input.number(), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, write_end.number(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, write_end.number(), STDERR_FILENO);
  }
  // Ctrl-C is for the program that has the terminal; this one still has to clean up.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t usual;
  sigemptyset(&usual);
  sigaddset(&usual, SIGINT);
  sigaddset(&usual, SIGQUIT);
  posix_spawnattr_setsigdefault(&attributes, &usual);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  const IgnoredInterrupts ignored;
  pid_t child = 0;
  const int number = ::posix_spawnp(&child, arguments.front().c_str(), &actions, &attributes, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (number != 0) return failed(arguments.front(), number);
  write_end.close();
  ForegroundResult out;
  if (captures) out.output = read_all(read_end.number());
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return failed(arguments.front(), errno);
  }
  constexpr int kSignalled = 128;
  out.code = WIFEXITED(status) ? WEXITSTATUS(status) : kSignalled + WTERMSIG(status);
  return out;
}

}  // namespace nimbus::cli
