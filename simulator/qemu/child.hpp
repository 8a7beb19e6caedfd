// Child: one child process, in a network namespace if wanted. It dies with its parent.
// Thread rule: one thread.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/net/file_descriptor.hpp"
#include "core/result.hpp"

namespace nimbus::simulator {

class Child {
 public:
  /// `network_namespace` is a name below /run/netns, or empty. Standard error goes to
  /// `log_path`. Errors: NotFound (no such namespace), Internal. A program that cannot be
  /// run shows as a child that ends with 127.
  static Result<Child> start(const std::vector<std::string>& arguments, const std::string& network_namespace,
                             const std::string& log_path);
  Child() = default;
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;
  ~Child();

  /// Becomes readable when the process ends; watch it on an event loop.
  int ended_fd() const noexcept { return pidfd_.get(); }
  pid_t pid() const noexcept { return pid_; }
  /// Ends it at once and waits for it, which takes a moment only.
  void kill() noexcept;

 private:
  pid_t pid_ = -1;
  base::FileDescriptor pidfd_;
};

}  // namespace nimbus::simulator
