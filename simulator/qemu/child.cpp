#include "simulator/qemu/child.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/net/socket.hpp"

namespace nimbus::simulator {
namespace {

constexpr int kCannotRun = 127;

/// In the child: only calls that are safe after fork.
[[noreturn]] void become(char* const* arguments, int network_namespace, int log, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(kCannotRun);  // the parent went before the signal was asked for
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::setsid();
  if (network_namespace >= 0 && ::setns(network_namespace, CLONE_NEWNET) != 0) ::_exit(kCannotRun);
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(log >= 0 ? log : nothing, STDOUT_FILENO);
  ::dup2(log >= 0 ? log : nothing, STDERR_FILENO);
  ::execvp(arguments[0], arguments);
  ::_exit(kCannotRun);
}

}  // namespace

Result<Child> Child::start(const std::vector<std::string>& arguments, const std::string& network_namespace,
                           const std::string& log_path) {
  base::FileDescriptor where;
  if (!network_namespace.empty()) {
    where.reset(::open(("/run/netns/" + network_namespace).c_str(), O_RDONLY | O_CLOEXEC));
    if (!where) return Error{Code::NotFound, "there is no network namespace \"" + network_namespace + "\""};
  }
  const base::FileDescriptor log(::open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  std::vector<char*> pointers;
  for (const auto& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return base::socket_error("fork", errno);
  if (pid == 0) become(pointers.data(), where.get(), log.get(), parent);
  Child out;
  out.pid_ = pid;
  out.pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!out.pidfd_) return base::socket_error("watch a child process", errno);
  return out;
}

Child::Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, -1)), pidfd_(std::move(other.pidfd_)) {}

Child& Child::operator=(Child&& other) noexcept {
  if (this != &other) {
    kill();
    pid_ = std::exchange(other.pid_, -1);
    pidfd_ = std::move(other.pidfd_);
  }
  return *this;
}

Child::~Child() { kill(); }

void Child::kill() noexcept {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  pidfd_.reset();
}

}  // namespace nimbus::simulator
