#include "cli/hardware/interrupt.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace nimbus::cli {

Interrupt::Interrupt() {
  sigset_t ending;
  ::sigemptyset(&ending);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&ending, number);
  ::pthread_sigmask(SIG_BLOCK, &ending, &before_);
  signals_ = base::FileDescriptor(::signalfd(-1, &ending, SFD_CLOEXEC));
  wake_ = base::FileDescriptor(::eventfd(0, EFD_CLOEXEC));
  if (signals_ && wake_) {
    thread_ = std::jthread([this] { wait(); });
  } else {
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);  // no descriptors left: signals end the program as ever
  }
}

Interrupt::~Interrupt() {
  const std::uint64_t one = 1;
  if (thread_.joinable()) {
    (void)!::write(wake_.get(), &one, sizeof one);
    thread_.join();
  }
  const int number = signal_.load();
  if (number != 0) {
    std::fflush(nullptr);
    (void)std::signal(number, SIG_DFL);
  }
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  if (number != 0) (void)std::raise(number);
}

void Interrupt::wait() {
  while (true) {
    std::array<pollfd, 2> watched = {{{signals_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}}};
    if (::poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) return;
    if ((watched[0].revents & POLLIN) != 0) {
      signalfd_siginfo told{};
      if (::read(signals_.get(), &told, sizeof told) != sizeof told) return;
      const int number = static_cast<int>(told.ssi_signo);
      if (signal_.exchange(number) != 0) std::_Exit(128 + number);
      stop_.request_stop();
    } else if (watched[1].revents != 0) {
      return;
    }
  }
}

}  // namespace nimbus::cli
