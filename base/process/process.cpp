#include "base/process/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/process/spawn.hpp"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

namespace nimbus::base {
namespace {

using std::chrono::milliseconds;

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) noexcept : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }
  int get() const noexcept { return number_; }
  bool is_open() const noexcept { return number_ >= 0; }
  void close() noexcept {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }

 private:
  int number_ = -1;
};

/// Debian 12's <sys/pidfd.h> cannot be linked from C++ (no extern "C").
int pidfd_open(pid_t pid) noexcept { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U)); }

std::string why(int number) { return std::generic_category().message(number); }

Error system_error(const std::string& what, int number) { return Error{Code::Internal, what + ": " + why(number)}; }

/// In a process whose standard streams are closed a new descriptor may be 0, 1 or
/// 2, which the child's redirections would overwrite.
Result<Descriptor> beyond_standard_streams(Descriptor descriptor, const char* what) {
  if (!descriptor.is_open()) return system_error(what, errno);
  if (descriptor.get() > STDERR_FILENO) return descriptor;
  Descriptor higher(::fcntl(descriptor.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (!higher.is_open()) return system_error(what, errno);
  return higher;
}

struct Pipe {
  Descriptor read;
  Descriptor write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_error("cannot make a pipe", errno);
  Descriptor first(ends[0]);
  Descriptor second(ends[1]);
  auto read = beyond_standard_streams(std::move(first), "cannot make a pipe");
  auto write = beyond_standard_streams(std::move(second), "cannot make a pipe");
  if (!read) return std::move(read.error());
  if (!write) return std::move(write.error());
  if (::fcntl(read->get(), F_SETFL, O_NONBLOCK) != 0) return system_error("cannot make a pipe", errno);
  return Pipe{std::move(*read), std::move(*write)};
}

/// Input is a file in memory: the child may read it, or not, at its own speed, and
/// nothing here can block or be killed by SIGPIPE.
Result<Descriptor> make_input(const std::string& bytes) {
  if (bytes.empty()) return beyond_standard_streams(Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)), "/dev/null");
  auto file =
      beyond_standard_streams(Descriptor(::memfd_create("input", MFD_CLOEXEC)), "cannot hold a program's input");
  if (!file) return file;
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = ::write(file->get(), bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return system_error("cannot hold a program's input", errno);
    done += static_cast<std::size_t>(n);
  }
  if (::lseek(file->get(), 0, SEEK_SET) != 0) return system_error("cannot hold a program's input", errno);
  return file;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (const auto& text : texts) out.push_back(const_cast<char*>(text.c_str()));  // exec writes nothing
  out.push_back(nullptr);
  return out;
}

/// Only in PATH and never through a shell, unlike execvp.
std::optional<std::string> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  std::string_view rest = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
  while (!rest.empty()) {
    const auto folder = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(rest.size(), folder.size() + 1));
    if (folder.empty() || folder[0] != '/') continue;
    auto file = std::string(folder) + "/" + name;
    struct stat info {};
    if (::stat(file.c_str(), &info) == 0 && S_ISREG(info.st_mode) && ::access(file.c_str(), X_OK) == 0) return file;
  }
  return std::nullopt;
}

Result<> check(const Program& program) {
  if (program.argv.empty() || program.argv[0].empty()) return Error{Code::Invalid, "no program to run"};
  const auto has_nul = [](const std::string& text) { return text.find('\0') != std::string::npos; };
  if (std::ranges::any_of(program.argv, has_nul) || std::ranges::any_of(program.environment, has_nul) ||
      has_nul(program.folder)) {
    return Error{Code::Invalid, "a NUL byte in an argument of " + program.argv[0]};
  }
  return {};
}

Error start_error(const Program& program, const StartFailure& failure) {
  using Step = StartFailure::Step;
  const std::string message = "cannot run " + program.argv[0] + ": " + why(failure.number);
  switch (failure.step) {
    case Step::Folder:
      return Error{Code::Invalid,
                   "cannot run " + program.argv[0] + " in " + program.folder + ": " + why(failure.number)};
    case Step::Streams:
    case Step::Limit:
      return Error{Code::Internal, message};
    case Step::Program:
      break;
  }
  switch (failure.number) {
    case ENOENT:
      return Error{Code::NotFound, message};
    case EACCES:
    case ENOTDIR:
    case ENOEXEC:
    case E2BIG:
      return Error{Code::Invalid, message};
    default:
      return Error{Code::Internal, message};
  }
}

struct Stream {
  Descriptor from;
  std::size_t limit = 0;
  Captured captured;

  /// Takes what is there; closes at the end of the stream.
  void drain() {
    std::array<char, 16384> buffer;
    while (from.is_open()) {
      const ssize_t n = ::read(from.get(), buffer.data(), buffer.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EAGAIN) return;
      if (n <= 0) return from.close();
      const auto got = static_cast<std::size_t>(n);
      const std::size_t room = limit - std::min(limit, captured.text.size());
      captured.text.append(buffer.data(), std::min(room, got));
      captured.cut = captured.cut || got > room;
      if (got < buffer.size()) return;  // a program that writes without pause must not hide the deadline
    }
  }
};

/// A started child; its process id stays ours until reap().
class Child {
 public:
  Child(pid_t pid, Descriptor handle) : pid_(pid), handle_(std::move(handle)) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ > 0) reap();
  }
  int handle() const noexcept { return handle_.get(); }
  void signal_group(int number) const noexcept { ::kill(-pid_, number); }

  /// Ended, but not reaped: until then its id cannot be given to another process.
  bool has_ended() const noexcept {
    siginfo_t info{};
    return ::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(handle_.get()), &info,
                    WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid != 0;
  }
  /// Kills the whole group and collects the status of its leader.
  int reap() noexcept {
    signal_group(SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_;
  Descriptor handle_;
};

/// Waits for the child, the streams, the deadline and the stop token at once.
class Supervision {
 public:
  Supervision(Child& child, Stream& output, Stream& errors, int stop_event, const Program& program, const Call& call,
              const Clock& clock)
      : child_(child),
        output_(output),
        errors_(errors),
        stop_event_(stop_event),
        program_(program),
        call_(call),
        clock_(clock) {}

  std::optional<ProgramEnd> run() {
    while (!child_.has_ended()) {
      wait(next_timeout());
      output_.drain();
      errors_.drain();
      step();
    }
    read_the_rest();
    return forced_;
  }

 private:
  milliseconds next_timeout() const {
    const MonoTime until = forced_ ? kill_at_ : call_.deadline;
    if (killed_) return milliseconds{-1};  // SIGKILL was sent: the end will come
    const MonoTime now = clock_.now();
    return until <= now ? milliseconds{0} : std::chrono::ceil<milliseconds>(until - now);
  }

  void step() {
    const MonoTime now = clock_.now();
    if (!forced_) {
      if (call_.stop.stop_requested()) {
        force(ProgramEnd::Cancelled, now);
      } else if (now >= call_.deadline) {
        force(ProgramEnd::TimedOut, now);
      }
    } else if (!killed_ && now >= kill_at_) {
      child_.signal_group(SIGKILL);
      killed_ = true;
    }
  }

  void force(ProgramEnd end, MonoTime now) {
    if (child_.has_ended()) return;
    forced_ = end;
    kill_at_ = now + program_.grace;
    child_.signal_group(SIGTERM);
    child_.signal_group(SIGCONT);  // a stopped child would not see it
  }

  void wait(milliseconds timeout) {
    std::array<pollfd, 4> items{pollfd{child_.handle(), POLLIN, 0}, pollfd{output_.from.get(), POLLIN, 0},
                                pollfd{errors_.from.get(), POLLIN, 0}, pollfd{forced_ ? -1 : stop_event_, POLLIN, 0}};
    constexpr milliseconds kLongest{3'600'000};
    ::poll(items.data(), items.size(), static_cast<int>(std::min(timeout, kLongest).count()));
  }

  /// What the leader wrote is in the pipes. Whoever else of the group still holds
  /// them open is not waited for.
  void read_the_rest() {
    child_.signal_group(SIGKILL);
    // At most what a pipe can hold each, should somebody outside of the group go on writing.
    constexpr int kReads = 128;
    for (auto* stream : {&output_, &errors_}) {
      for (int i = 0; i < kReads && stream->from.is_open(); ++i) stream->drain();
    }
  }

  Child& child_;
  Stream& output_;
  Stream& errors_;
  int stop_event_;
  const Program& program_;
  const Call& call_;
  const Clock& clock_;
  std::optional<ProgramEnd> forced_;
  MonoTime kill_at_{};
  bool killed_ = false;
};

struct Started {
  std::unique_ptr<Child> child;
  Descriptor output;
  Descriptor errors;
};

Result<Started> start(const Program& program) {
  auto input = make_input(program.input);
  if (!input) return std::move(input.error());
  auto output = make_pipe();
  if (!output) return std::move(output.error());
  auto errors = make_pipe();
  if (!errors) return std::move(errors.error());

  auto report = make_pipe();
  if (!report) return std::move(report.error());

  const auto file = find_program(program.argv[0]);
  if (!file) return Error{Code::NotFound, "cannot run " + program.argv[0] + ": there is no such program in PATH"};
  const auto argv = pointers(program.argv);
  const auto environment = pointers(program.environment);
  const pid_t pid =
      spawn({input->get(), output->write.get(), errors->write.get(), report->write.get(), file->c_str(), argv.data(),
             environment.data(), program.folder.c_str(), program.file_limit_bytes, ::getpid()});
  if (pid < 0) return system_error("cannot run " + program.argv[0], errno);
  Descriptor handle(pidfd_open(pid));
  const int handle_failure = errno;
  const bool has_handle = handle.is_open();
  auto child = std::make_unique<Child>(pid, std::move(handle));
  if (!has_handle) return system_error("cannot watch " + program.argv[0], handle_failure);
  report->write.close();
  if (const auto failure = read_failure(report->read.get())) return start_error(program, *failure);
  return Started{std::move(child), std::move(output->read), std::move(errors->read)};
}

}  // namespace

Result<ProgramResult> run_program(const Program& program, const Call& call, const Clock& clock) {
  if (auto ok = check(program); !ok) return std::move(ok.error());
  if (call.stop.stop_requested()) return Error{Code::Cancelled, "stopped before running " + program.argv[0]};
  if (clock.now() >= call.deadline) return Error{Code::Timeout, "no time left to run " + program.argv[0]};

  const Descriptor stop_event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop_event.is_open()) return system_error("cannot make an event", errno);
  auto started = start(program);
  if (!started) return std::move(started.error());

  Stream output{std::move(started->output), program.output_limit_bytes, {}};
  Stream errors{std::move(started->errors), program.errors_limit_bytes, {}};
  const std::stop_callback wake(call.stop, [&] {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(stop_event.get(), &one, sizeof one);
  });
  const auto forced = Supervision(*started->child, output, errors, stop_event.get(), program, call, clock).run();
  const int status = started->child->reap();

  ProgramResult result;
  result.output = std::move(output.captured);
  result.errors = std::move(errors.captured);
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  result.end = forced.value_or(WIFSIGNALED(status) ? ProgramEnd::Signalled : ProgramEnd::Exited);
  return result;
}

}  // namespace nimbus::base
