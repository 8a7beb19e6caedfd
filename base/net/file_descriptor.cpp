#include "base/net/file_descriptor.hpp"

#include <unistd.h>

namespace nimbus::base {

void FileDescriptor::reset(int fd) noexcept {
  // Not repeated on EINTR: on Linux the descriptor is gone then, and its number
  // may already belong to another thread.
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

}  // namespace nimbus::base
