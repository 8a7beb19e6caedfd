#include "base/process/spawn.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace nimbus::base {
namespace {

/// The life of the child before it is the program. It shares our memory: system calls
/// only, nothing is changed, no way back.
[[noreturn]] void become_program(const ChildPlan& plan) noexcept {
  const auto fail = [&](StartFailure::Step step) {
    const StartFailure failure{step, errno};
    [[maybe_unused]] const auto told = ::write(plan.report, &failure, sizeof failure);
    ::_exit(127);
  };
  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);  // of the thread that waits for it
  if (::getppid() != plan.parent) ::_exit(127);
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) ::sigaction(number, &standard, nullptr);
  if (::dup2(plan.input, STDIN_FILENO) < 0 || ::dup2(plan.output, STDOUT_FILENO) < 0 ||
      ::dup2(plan.errors, STDERR_FILENO) < 0) {
    fail(StartFailure::Step::Streams);
  }
  // For descriptors that some library opened without O_CLOEXEC; ours all have it.
  ::syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  if (::chdir(plan.folder) != 0) fail(StartFailure::Step::Folder);
  const rlimit limit{plan.file_limit_bytes, plan.file_limit_bytes};
  if (plan.file_limit_bytes != 0 && ::setrlimit(RLIMIT_FSIZE, &limit) != 0) fail(StartFailure::Step::Limit);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(plan.file, plan.argv, plan.environment);
  fail(StartFailure::Step::Program);
  ::_exit(127);
}

}  // namespace

pid_t spawn(const ChildPlan& plan) noexcept {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);  // no handler of ours may run in the child
  const pid_t pid = ::vfork();
  // NOLINTNEXTLINE(clang-analyzer-unix.Vfork): it makes system calls only and never returns
  if (pid == 0) become_program(plan);
  const int number = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = number;
  return pid;
}

std::optional<StartFailure> read_failure(int report) {
  pollfd item{report, POLLIN, 0};
  while (::poll(&item, 1, -1) < 0 && errno == EINTR) {
  }
  StartFailure failure;
  const ssize_t n = ::read(report, &failure, sizeof failure);
  return n == sizeof failure ? std::optional(failure) : std::nullopt;
}

}  // namespace nimbus::base
